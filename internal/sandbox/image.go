package sandbox

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

const (
	// DemoImage is the image made from this program itself.
	DemoImage = "swarmnet/demo"
	// DemoPort is where its HTTP server listens.
	DemoPort = 8080

	demoProgram = "docker-swarmnet"
)

// demoImage is the image of a program: the archive that "docker load" reads,
// written as often as asked, without a copy of it in memory or on disk.
type demoImage struct {
	program string
	size    int64
	layer   string // digest of the layer, hexadecimal
}

// newDemoImage prepares the image of the program in that file. It must be
// linked statically, for in the image it is alone.
func newDemoImage(program string) (*demoImage, error) {
	if err := static(program); err != nil {
		return nil, err
	}
	info, err := os.Stat(program)
	if err != nil {
		return nil, err
	}
	img := &demoImage{program: program, size: info.Size()}
	sum := sha256.New()
	if err := img.writeLayer(sum); err != nil {
		return nil, err
	}
	img.layer = hex.EncodeToString(sum.Sum(nil))
	return img, nil
}

func static(program string) error {
	f, err := elf.Open(program)
	if err != nil {
		return problem.New("the image %s is made from this program, which is no Linux program: %w", DemoImage, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return problem.New("the image %s is made from this program, which needs shared libraries", DemoImage).
				WithNext("Build the plugin with 'make build' (CGO_ENABLED=0).")
		}
	}
	return nil
}

// writeTo writes the whole archive, in the format of "docker save": two JSON
// files and the layer (moby image/spec/v1.2.md).
func (img *demoImage) writeTo(w io.Writer) error {
	config, err := json.Marshal(img.config())
	if err != nil {
		return err
	}
	sum := sha256.Sum256(config)
	configName := hex.EncodeToString(sum[:]) + ".json"
	manifest, err := json.Marshal([]map[string]any{{
		"Config": configName, "RepoTags": []string{DemoImage + ":latest"}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return err
	}
	tw := tar.NewWriter(w)
	for _, f := range []struct {
		name string
		data []byte
	}{{configName, config}, {"manifest.json", manifest}} {
		if err := tw.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data))}); err != nil {
			return err
		}
		if _, err := tw.Write(f.data); err != nil {
			return err
		}
	}
	if err := tw.WriteHeader(&tar.Header{Name: "layer.tar", Mode: 0o644, Size: layerSize(img.size)}); err != nil {
		return err
	}
	if err := img.writeLayer(tw); err != nil {
		return err
	}
	return tw.Close()
}

func (img *demoImage) config() map[string]any {
	return map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config": map[string]any{
			"Entrypoint":   []string{"/" + demoProgram, "sandbox", "demo"},
			"ExposedPorts": map[string]any{fmt.Sprintf("%d/tcp", DemoPort): struct{}{}},
			"Env":          []string{"PATH=/"},
			"WorkingDir":   "/",
		},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + img.layer}},
		"history": []map[string]any{{"created_by": "docker swarmnet sandbox load " + DemoImage}},
	}
}

// writeLayer writes the layer: the program and a folder for temporary files.
func (img *demoImage) writeLayer(w io.Writer) error {
	f, err := os.Open(img.program)
	if err != nil {
		return err
	}
	defer f.Close()
	tw := tar.NewWriter(w)
	if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}); err != nil {
		return err
	}
	if err := tw.WriteHeader(&tar.Header{Name: demoProgram, Mode: 0o755, Size: img.size}); err != nil {
		return err
	}
	if _, err := io.CopyN(tw, f, img.size); err != nil {
		return err
	}
	return tw.Close()
}

// layerSize is how long writeLayer's output is: a header block per entry, the
// program up to full blocks, two empty blocks at the end (tar(5)).
func layerSize(program int64) int64 {
	const block = 512
	return 2*block + (program+block-1)/block*block + 2*block
}

// isImageArchive tells an archive of images (of "docker save") from the tar of
// a root file system, by the files that only the former has at its top. The
// archive may be compressed with gzip.
func isImageArchive(r io.Reader) (bool, error) {
	r, err := decompress(r)
	if err != nil {
		return false, err
	}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		switch string(bytes.TrimPrefix([]byte(h.Name), []byte("./"))) {
		case "manifest.json", "repositories", "oci-layout":
			return true, nil
		}
	}
}
