package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
	"github.com/go-json-experiment/json/jsontext"
)

// stream reads a list of the engine one by one, so that it is turned into the
// model while it comes in: one reads an object of it. The client module can only
// read a list whole: it is to be asked where this has failed, and then says why.
func stream(ctx context.Context, c *client.Client, path string, one func(*input) error) error {
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
	in := newInput(resp.Body)
	return eachOf(in, func() error { return one(in) })
}

// input is an answer of the engine as it comes in.
type input struct {
	*jsontext.Decoder
	// texts are those that stand in the answer over and over, by their quoted form.
	texts map[string]string
}

// newInput reads JSON as tolerantly as encoding/json does.
func newInput(from io.Reader) *input {
	return &input{
		Decoder: jsontext.NewDecoder(from, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		texts:   map[string]string{},
	}
}

// comes tells whether a value of a kind comes next. Null, which stands for none,
// is passed over; anything else is an error.
func comes(in *input, kind jsontext.Kind) (bool, error) {
	switch is := in.PeekKind(); is {
	case kind:
		return true, nil
	case 'n', 0: // 0 is an error, which reading on tells
		return false, in.SkipValue()
	default:
		return false, fmt.Errorf("%s where %s should be, at byte %d", is, kind, in.InputOffset())
	}
}

// eachOf reads an array, whose elements are read by one.
func eachOf(in *input, one func() error) error {
	if ok, err := comes(in, '['); !ok {
		return err
	}
	if _, err := in.ReadToken(); err != nil {
		return err
	}
	for in.PeekKind() != ']' {
		if err := one(); err != nil {
			return err
		}
	}
	_, err := in.ReadToken()
	return err
}

// membersOf reads an object, whose members are read by one, by their names as
// they stand there, in quotes.
func membersOf(in *input, one func(name []byte) error) error {
	if ok, err := comes(in, '{'); !ok {
		return err
	}
	if _, err := in.ReadToken(); err != nil {
		return err
	}
	for in.PeekKind() != '}' {
		name, err := in.ReadValue()
		if err != nil {
			return err
		}
		if err := one(name); err != nil {
			return err
		}
	}
	_, err := in.ReadToken()
	return err
}

// memberOf reads one member of an object and passes over the others.
func memberOf(in *input, member string, one func() error) error {
	return membersOf(in, func(name []byte) error {
		if string(name) == `"`+member+`"` {
			return one()
		}
		return in.SkipValue()
	})
}

// objectOf reads an object of the swarm: what all of them have into id and meta,
// the other members by one.
func objectOf(in *input, id *string, meta *swarm.Meta, one func(name []byte) error) error {
	return membersOf(in, func(name []byte) error {
		switch string(name) {
		case `"ID"`:
			return readText(in, id)
		case `"Version"`:
			return memberOf(in, "Index", func() error { return readNumber(in, &meta.Version.Index) })
		case `"CreatedAt"`:
			return readTime(in, &meta.CreatedAt)
		case `"UpdatedAt"`:
			return readTime(in, &meta.UpdatedAt)
		}
		return one(name)
	})
}

// readEach reads an array, each element by one.
func readEach[T any](in *input, to *[]T, one func(*input, *T) error) error {
	return eachOf(in, func() error {
		*to = append(*to, *new(T))
		return one(in, &(*to)[len(*to)-1])
	})
}

// readText reads a string.
func readText[T ~string](in *input, to *T) error {
	if ok, err := comes(in, '"'); !ok {
		return err
	}
	t, err := in.ReadToken()
	if err != nil {
		return err
	}
	*to = T(t.String())
	return nil
}

// readKnown reads a string that others of the list are likely to have too, and
// keeps it once for all of them.
func readKnown[T ~string](in *input, to *T) error {
	if ok, err := comes(in, '"'); !ok {
		return err
	}
	v, err := in.ReadValue()
	if err != nil {
		return err
	}
	known, ok := in.texts[string(v)]
	if !ok {
		plain, _ := jsontext.AppendUnquote(nil, v) // an error is of what is no UTF-8, which is replaced
		known = string(plain)
		in.texts[string(v)] = known
	}
	*to = T(known)
	return nil
}

// readNumber reads a whole number.
func readNumber[T int | uint32 | uint64](in *input, to *T) error {
	if ok, err := comes(in, '0'); !ok {
		return err
	}
	v, err := in.ReadValue()
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	if *to = T(n); err == nil && int64(*to) != n { //nolint:gosec // what does not fit is told
		err = strconv.ErrRange
	}
	return err
}

// readPort reads a published port.
func readPort(in *input, to *swarm.PortConfig) error {
	return membersOf(in, func(name []byte) error {
		switch string(name) {
		case `"Name"`:
			return readKnown(in, &to.Name)
		case `"Protocol"`:
			return readKnown(in, &to.Protocol)
		case `"TargetPort"`:
			return readNumber(in, &to.TargetPort)
		case `"PublishedPort"`:
			return readNumber(in, &to.PublishedPort)
		case `"PublishMode"`:
			return readKnown(in, &to.PublishMode)
		}
		return in.SkipValue()
	})
}

// readTime reads a time as encoding/json does.
func readTime(in *input, to *time.Time) error {
	v, err := in.ReadValue()
	if err != nil {
		return err
	}
	return to.UnmarshalJSON(v)
}

// read reads a value of any type.
func read(in *input, to any) error {
	v, err := in.ReadValue()
	if err != nil {
		return err
	}
	return json.Unmarshal(v, to)
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
