package main

import (
	"context"
	"database/sql"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	_ "github.com/lib/pq" // the driver "postgres"
)

// A visit is one row: which task of the application was asked, and when.
type visit struct {
	ID       int64     `json:"id"`
	Hostname string    `json:"hostname"`
	At       time.Time `json:"at"`
}

// recent is how many rows an answer carries.
const recent = 5

type store struct {
	db      *sql.DB
	host    string
	address string // host:port
}

// openStore does not connect yet: the database may come up after us.
func openStore(get func(string) string) (*store, error) {
	user := env(get, "POSTGRES_USER", "postgres")
	host := env(get, "DB_HOST", "postgress")
	address := net.JoinHostPort(host, env(get, "DB_PORT", "5432"))
	password, err := password(get)
	if err != nil {
		return nil, err
	}
	dsn := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(user, password),
		Host:     address,
		Path:     env(get, "POSTGRES_DB", user),
		RawQuery: "sslmode=disable&connect_timeout=3",
	}
	db, err := sql.Open("postgres", dsn.String())
	if err != nil {
		return nil, err
	}
	return &store{db: db, host: host, address: address}, nil
}

// password reads the password from the environment, or from the file (a
// secret) that the environment names.
func password(get func(string) string) (string, error) {
	file := get("POSTGRES_PASSWORD_FILE")
	if file == "" {
		return get("POSTGRES_PASSWORD"), nil
	}
	content, err := os.ReadFile(file)
	return strings.TrimRight(string(content), "\n"), err
}

func (s *store) close() { _ = s.db.Close() }

// visit writes a row and reads the latest ones back, newest first. It tries
// again until ctx ends: a database that has just been deployed, or moved to
// another node, is away for a moment.
func (s *store) visit(ctx context.Context, hostname string) ([]visit, error) {
	for {
		rows, err := s.visitOnce(ctx, hostname)
		if err == nil {
			return rows, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (s *store) visitOnce(ctx context.Context, hostname string) ([]visit, error) {
	// Two tasks that create the table at once can collide in the catalogue
	// in spite of IF NOT EXISTS; visit tries again then.
	if _, err := s.db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS visits (
		id bigserial PRIMARY KEY, hostname text NOT NULL, at timestamptz NOT NULL DEFAULT now())`); err != nil {
		return nil, err
	}
	if _, err := s.db.ExecContext(ctx, `INSERT INTO visits (hostname) VALUES ($1)`, hostname); err != nil {
		return nil, err
	}
	found, err := s.db.QueryContext(ctx, `SELECT id, hostname, at FROM visits ORDER BY id DESC LIMIT $1`, recent)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	var rows []visit
	for found.Next() {
		var v visit
		if err := found.Scan(&v.ID, &v.Hostname, &v.At); err != nil {
			return nil, err
		}
		rows = append(rows, v)
	}
	return rows, found.Err()
}

// serverAddress is the database's own view of the address it was reached at:
// that of its task, also when the client dialled a service VIP.
func (s *store) serverAddress(ctx context.Context) (string, error) {
	var addr string
	err := s.db.QueryRowContext(ctx, `SELECT coalesce(host(inet_server_addr()), '')`).Scan(&addr)
	return addr, err
}
