package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"time"
)

// patience is how long a request waits for a database that is not there.
const patience = 10 * time.Second

// An answer is what a request gets. Error is empty when rows were read.
type answer struct {
	Hostname string `json:"hostname"`
	Database string `json:"database"`
	// Resolved is what the database's name stands for here: a virtual
	// address, or the addresses of its tasks.
	Resolved []string `json:"resolved"`
	// DatabaseAddress is the address of the task that answered.
	DatabaseAddress string  `json:"databaseAddress,omitempty"`
	Rows            []visit `json:"rows"`
	Error           string  `json:"error,omitempty"`
}

func newHandler(hostname string, s *store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		a := answer{Hostname: hostname, Database: s.address}
		code := http.StatusOK
		// A name that resolves to nothing shows as the error of the connection.
		a.Resolved, _ = net.DefaultResolver.LookupHost(ctx, s.host)
		rows, err := s.visit(ctx, hostname)
		if err == nil {
			a.Rows = rows
			a.DatabaseAddress, err = s.serverAddress(ctx)
		}
		if err != nil {
			code, a.Error = http.StatusServiceUnavailable, err.Error()
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		_ = out.Encode(a)
	})
	return mux
}
