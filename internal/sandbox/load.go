package sandbox

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// Source is where an image comes from.
type Source struct {
	// Image is the name of an image; File a file. One of them is set.
	Image, File string
	// Name is what an image made from a root file system is called; empty for
	// a name made from the file's.
	Name string
	// Changes are Dockerfile instructions for an image made from a root file system.
	Changes []string
	// Save reads an image by name out of the user's own engine.
	Save func(ctx context.Context, image string) (io.ReadCloser, error)
}

// SourceOf tells what an argument of "sandbox load" means: a file if there is
// one, else an image.
func SourceOf(arg string) Source {
	if info, err := os.Stat(arg); err == nil && info.Mode().IsRegular() {
		return Source{File: arg}
	}
	return Source{Image: arg}
}

// archive is an image ready to be sent to each node.
type archive struct {
	open func() (io.ReadCloser, error)
	// rootfs is the name of the image to make from a root file system; empty
	// for an archive that holds images with their names.
	rootfs  string
	changes []string
}

// Load puts an image on every node that runs, all at once, and returns the
// names of what was loaded.
func (s *Sandboxes) Load(ctx context.Context, name string, src Source) ([]string, error) {
	var loaded []string
	err := s.change(name, func(st *State) error {
		if status := s.status(st); status != StatusRunning && status != StatusDegraded {
			return problem.New("sandbox %q is %s; its nodes take no images", name, status)
		}
		a, cleanUp, err := prepare(ctx, st, src)
		if err != nil {
			return err
		}
		defer cleanUp()
		loaded, err = s.loadAll(ctx, st, a)
		return err
	})
	return loaded, err
}

func (s *Sandboxes) loadAll(ctx context.Context, st *State, a archive) ([]string, error) {
	var mu sync.Mutex
	var loaded []string
	err := inParallel(st.Nodes, func(_ int, n *Node) error {
		s.tell(n, event.Working, "loading", "")
		names, err := s.loadOne(ctx, n, a)
		if err != nil {
			s.tell(n, event.Bad, "not loaded", err.Error())
			return fmt.Errorf("node %q: %w", n.Name, err)
		}
		s.tell(n, event.Good, "loaded", text.Clean(strings.Join(names, ", ")))
		mu.Lock()
		defer mu.Unlock()
		if len(names) > len(loaded) {
			loaded = names
		}
		return nil
	})
	return loaded, err
}

func (s *Sandboxes) loadOne(ctx context.Context, n *Node, a archive) ([]string, error) {
	e, err := s.opts.Dial(n.Name, n.Host)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	r, err := a.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if a.rootfs != "" {
		return []string{a.rootfs}, e.ImportImage(ctx, r, a.rootfs, a.changes)
	}
	return e.LoadImages(ctx, r)
}

// prepare turns a source into something that can be read once per node.
func prepare(ctx context.Context, st *State, src Source) (a archive, cleanUp func(), err error) {
	nothing := func() {}
	switch {
	case src.File != "":
		a, err = fromFile(src)
		return a, nothing, err
	case src.Name != "" || len(src.Changes) > 0:
		return a, nothing, problem.New("a name and changes can be given only for the tar file of a root file system, and %q is an image", src.Image).
			WithCode(problem.Usage)
	case src.Image == DemoImage || src.Image == DemoImage+":latest":
		img, err := newDemoImage("/proc/self/exe")
		if err != nil {
			return a, nothing, err
		}
		return archive{open: func() (io.ReadCloser, error) { return stream(img.writeTo), nil }}, nothing, nil
	default:
		return fromEngine(ctx, st, src)
	}
}

// stream makes a reader of what a function writes.
func stream(write func(io.Writer) error) io.ReadCloser {
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(write(w)) }()
	return r
}

// fromEngine copies an image out of the user's engine into the sandbox's
// folder, from where every node reads it.
func fromEngine(ctx context.Context, st *State, src Source) (a archive, cleanUp func(), err error) {
	nothing := func() {}
	r, err := src.Save(ctx, src.Image)
	if err != nil {
		return a, nothing, err
	}
	defer r.Close()
	f, err := os.CreateTemp(st.Dir, ".image-")
	if err != nil {
		return a, nothing, err
	}
	cleanUp = func() { _ = os.Remove(f.Name()) }
	_, err = io.Copy(f, r)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		cleanUp()
		return a, nothing, fmt.Errorf("read image %q: %w", src.Image, err)
	}
	return archive{open: func() (io.ReadCloser, error) { return os.Open(f.Name()) }}, cleanUp, nil
}

func fromFile(src Source) (archive, error) {
	a := archive{open: func() (io.ReadCloser, error) { return os.Open(src.File) }, changes: src.Changes}
	r, err := a.open()
	if err != nil {
		return a, err
	}
	defer r.Close()
	images, err := isImageArchive(r)
	if err != nil {
		return a, problem.New("%q is no tar file (plain, gzip or bzip2): %w", src.File, err)
	}
	if images {
		if src.Name != "" || len(src.Changes) > 0 {
			return a, problem.New("%q holds images with their own names; a name and changes can be given only for a root file system", src.File).
				WithCode(problem.Usage)
		}
		return a, nil
	}
	a.rootfs = src.Name
	if a.rootfs == "" {
		a.rootfs, err = imageNameOf(src.File)
	}
	return a, err
}

// imageNameOf makes the name of an image from that of a file:
// "/tmp/Postgres.tar.gz" is "postgres".
func imageNameOf(file string) (string, error) {
	name := strings.ToLower(filepath.Base(file))
	if base, _, ok := strings.Cut(name, ".tar"); ok {
		name = base
	} else if base, ok := strings.CutSuffix(name, ".tgz"); ok {
		name = base
	}
	if !regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`).MatchString(name) {
		return "", problem.New("%q holds a root file system and its name makes no name of an image", file).
			WithNext("Give a name with '--name IMAGE'.").WithCode(problem.Usage)
	}
	return name, nil
}

// decompress looks at the first bytes and undoes gzip or bzip2. A plain reader
// that can seek is returned as it is, so that looking through a tar file does
// not read all of it.
func decompress(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	magic, err := buffered.Peek(3)
	if err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(buffered)
	case bytes.Equal(magic, []byte("BZh")):
		return bzip2.NewReader(buffered), nil
	}
	if seeker, ok := r.(io.ReadSeeker); ok {
		_, err := seeker.Seek(0, io.SeekStart)
		return seeker, err
	}
	return buffered, nil
}
