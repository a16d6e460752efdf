package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/docker/docker/client"
)

// stream reads a list of the engine one by one, so that it is turned into the
// model while it comes in. The client module can only read a list whole: it is
// to be asked where this has failed, and then says why.
func stream[T any](ctx context.Context, c *client.Client, path string, each func(T)) error {
	api := &http.Client{Transport: through(c)}
	defer api.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/v"+c.ClientVersion()+path, nil)
	if err != nil {
		return err
	}
	resp, err := api.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	in := json.NewDecoder(resp.Body)
	if _, err := in.Token(); err != nil {
		return err
	}
	var one, none T
	for in.More() {
		one = none
		if err := in.Decode(&one); err != nil {
			return err
		}
		each(one)
	}
	_, err = in.Token()
	return err
}

// pieces is a list that grows without being copied over and over.
type pieces[T any] struct{ list [][]T }

func (p *pieces[T]) add(v T) {
	last := len(p.list) - 1
	if last < 0 || len(p.list[last]) == cap(p.list[last]) {
		last++
		p.list = append(p.list, make([]T, 0, 16<<min(2*last, 4))) // 16, 64, then 256 each
	}
	p.list[last] = append(p.list[last], v)
}

// all returns the list, nil when it is empty.
func (p *pieces[T]) all() []T { return slices.Concat(p.list...) }
