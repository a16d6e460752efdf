// Command webapp stands in for a web application such as Drupal: each request
// writes a row to a PostgreSQL database and answers, as JSON, with rows read
// from it. What it needs of a network is what the real thing needs: the
// database by name, and a published port.
//
// Environment: DB_HOST (default "postgress"), DB_PORT, POSTGRES_USER,
// POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE, POSTGRES_DB, LISTEN (default
// ":80").
package main

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	hostname, err := os.Hostname()
	if err != nil {
		return err
	}
	store, err := openStore(os.Getenv)
	if err != nil {
		return err
	}
	defer store.close()

	server := &http.Server{
		Addr:              env(os.Getenv, "LISTEN", ":80"),
		Handler:           newHandler(hostname, store),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	go func() {
		<-ctx.Done()
		// ctx is over: the shutdown needs a deadline of its own.
		end, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(end)
	}()
	log.Printf("%s listens on %s, database %s", hostname, server.Addr, store.address)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// env reads a variable, with a default for one that is unset or empty.
func env(get func(string) string, name, otherwise string) string {
	if v := get(name); v != "" {
		return v
	}
	return otherwise
}
