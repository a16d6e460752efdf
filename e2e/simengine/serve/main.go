// Command serve runs simulated engines until it is interrupted, to look at by
// hand:
//
//	go run ./e2e/simengine/serve -scale 0.1 /tmp/east.sock /tmp/west.sock
//	docker -H unix:///tmp/east.sock swarmnet addresses
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/swarmnet/docker-swarmnet/e2e/simengine"
)

func main() {
	var o simengine.Options
	flag.Float64Var(&o.Scale, "scale", 1, "size: 1 is 200 nodes, 1,000 networks, 5,000 services, 20,000 tasks")
	flag.DurationVar(&o.Latency, "latency", 0, "time added to every answer")
	flag.StringVar(&o.API, "api", "1.51", "newest API version")
	leaked := flag.Int("leaked", 0, "addresses that ingress has lost (from API 1.52 on)")
	flag.Parse()
	o.Leaked = map[string]int{"ingress": *leaked}
	for i, socket := range flag.Args() {
		o.Index = i
		stop, err := simengine.New(o).Serve(socket)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer func() { _ = stop() }()
		fmt.Fprintln(os.Stderr, "unix://"+socket)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt, syscall.SIGTERM)
	<-ended
}
