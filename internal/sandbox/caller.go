package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// CallCount is what became of requests.
type CallCount struct {
	Sent   int `json:"sent"`
	Failed int `json:"failed"`
	// Errors are the first errors, with the time at which each request was sent.
	Errors []string `json:"errors,omitempty"`
	// Late counts the answers of servers that had been told to end longer ago than
	// the swarm takes to tell all nodes: on a new connection, the name still led
	// there. When such a server ends at last, requests fail.
	Late int `json:"late,omitempty"`
	// Latest is the last late answer of each server, by its address.
	Latest map[string]string `json:"latest,omitempty"`
}

// CallReport is what one caller has counted: requests on a new connection
// each, and requests on one connection that is kept as long as it lasts.
type CallReport struct {
	New  CallCount `json:"new"`
	Kept CallCount `json:"kept"`
	// Unready counts the tries before the first answer, which no program that
	// starts in a swarm is spared.
	Unready int `json:"unready"`
}

// Caller asks a URL at a steady rate, as a client that has no patience: each
// request goes to one address, chosen at random from those the name has at
// that moment, and is not tried again.
type Caller struct {
	URL string
	// Rate is how many requests are sent in a second; on the connection that is
	// kept, a tenth of it.
	Rate int
	// Folder is where the report is written, under the name of the host.
	Folder string

	mu     sync.Mutex
	report CallReport
}

const (
	// answerTime is how long an answer may take. A server that is gone never
	// answers; one on a machine with too much to do takes its time.
	answerTime = 15 * time.Second
	// dialTime is less, so that an error says where it could not connect to.
	dialTime   = 12 * time.Second
	mostErrors = 20
	// lateAfter is more than gossip takes on a machine with little time.
	lateAfter    = 2 * time.Second
	reportEvery  = time.Second
	unreadyPause = 200 * time.Millisecond
)

// Run calls until ctx ends, waits for the answers that are still to come, and
// writes the report a last time.
func (c *Caller) Run(ctx context.Context) error {
	target, err := url.Parse(c.URL)
	if err != nil || c.Rate <= 0 || target.Hostname() == "" {
		return fmt.Errorf("cannot call %q %d times a second", c.URL, c.Rate)
	}
	fresh := &http.Client{Timeout: answerTime, Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialOne}}
	kept := &http.Client{Timeout: answerTime, Transport: &http.Transport{MaxConnsPerHost: 1, DialContext: dialOne}}
	for ctx.Err() == nil {
		if _, err := c.once(ctx, fresh); err == nil {
			break
		}
		c.mu.Lock()
		c.report.Unready++
		c.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(unreadyPause):
		}
	}
	asked := context.WithoutCancel(ctx) // what is asked is waited for
	var all sync.WaitGroup
	each := time.NewTicker(time.Second / time.Duration(c.Rate))
	defer each.Stop()
	written := time.NewTicker(reportEvery)
	defer written.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			all.Wait()
			return c.write()
		case <-written.C:
			if err := c.write(); err != nil {
				return err
			}
			continue
		case <-each.C:
		}
		c.ask(asked, &all, fresh, &c.report.New)
		if n%10 == 0 {
			c.ask(asked, &all, kept, &c.report.Kept)
		}
	}
}

// ask sends a request and counts it when it is answered.
func (c *Caller) ask(ctx context.Context, all *sync.WaitGroup, client *http.Client, count *CallCount) {
	all.Add(1)
	go func() {
		defer all.Done()
		begin := time.Now()
		late, err := c.once(ctx, client)
		c.count(count, begin, late, err)
	}()
}

// dialOne connects to one of the addresses of a name, and to no other.
func dialOne(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: dialTime}
	conn, err := d.DialContext(ctx, network, net.JoinHostPort(addrs[rand.IntN(len(addrs))], port)) //nolint:gosec // spreads load
	if err != nil {
		return nil, fmt.Errorf("%w (the name had %s)", err, strings.Join(addrs, " "))
	}
	return conn, nil
}

// lateAnswer tells how long a server had been ending; the zero value is of one
// that is not.
type lateAnswer struct {
	server string
	ending time.Duration
}

func (c *Caller) once(ctx context.Context, client *http.Client) (lateAnswer, error) {
	var server string
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) { server = i.Conn.RemoteAddr().String() },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return lateAnswer{}, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return lateAnswer{}, err
	}
	defer resp.Body.Close()
	ending, _ := time.ParseDuration(resp.Header.Get(EndingHeader)) // 0 where there is none
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return lateAnswer{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return lateAnswer{}, fmt.Errorf("answered %s", resp.Status)
	}
	return lateAnswer{server, ending}, nil
}

func (c *Caller) count(of *CallCount, begin time.Time, late lateAnswer, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of.Sent++
	at := begin.UTC().Format("15:04:05.000 ")
	if late.ending > lateAfter {
		of.Late++
		if of.Latest == nil {
			of.Latest = map[string]string{}
		}
		of.Latest[late.server] = at + "ending for " + late.ending.String()
	}
	if err == nil {
		return
	}
	of.Failed++
	if len(of.Errors) < mostErrors {
		of.Errors = append(of.Errors, at+err.Error())
	}
}

// write replaces the report as a whole, so that a reader never sees half of it.
func (c *Caller) write() error {
	c.mu.Lock()
	b, err := json.Marshal(c.report)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	name := filepath.Join(c.Folder, host+".json")
	if err := os.WriteFile(name+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
