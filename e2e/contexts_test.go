//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// TestTLSContext: an engine behind TCP that asks for a client's certificate.
func TestTLSContext(t *testing.T) {
	s := usual(t)
	ours, stranger := newAuthority(t), newAuthority(t)
	address := serveTLS(t, ours, strings.TrimPrefix(s.API.DaemonHost(), "unix://"))
	addContext(t, s, "by-tls", "host=tcp://"+address+ours.client(t))
	addContext(t, s, "by-wrong-tls", "host=tcp://"+address+stranger.client(t))
	addContext(t, s, "by-closed-tls", "host=tcp://127.0.0.1:1"+ours.client(t))

	worksThrough(t, s, "by-tls", nil)
	for _, name := range []string{"by-wrong-tls", "by-closed-tls"} {
		refusedThrough(t, s, name, nil)
	}
	// One context that fails does not lose the others.
	r := s.Swarmnet("ls", "--contexts", "by-tls,by-wrong-tls")
	assert.Check(t, is.Equal(r.ExitCode, 1))
	assert.Check(t, is.Contains(r.Stdout(), "ingress"))
	assert.Check(t, is.Contains(r.Combined(), "by-wrong-tls"))
}

// TestSSHContext: an engine on a machine that ssh leads to.
func TestSSHContext(t *testing.T) {
	s := usual(t)
	dir := t.TempDir()
	port := serveSSH(t, dir, s.API.DaemonHost())
	addContext(t, s, "by-ssh", fmt.Sprintf("host=ssh://root@127.0.0.1:%d", port))
	worksThrough(t, s, "by-ssh", []string{"PATH=" + sshAs(t, dir, "client") + ":" + os.Getenv("PATH")})
	refusedThrough(t, s, "by-ssh", []string{"PATH=" + sshAs(t, dir, "stranger") + ":" + os.Getenv("PATH")})
}

// worksThrough does the main job through a context: reading, creating, waiting
// on the stream of events, removing.
func worksThrough(t *testing.T, s *harness.Swarm, name string, env []string) {
	t.Helper()
	s.Load(t, "swarmnet/demo")
	for _, args := range [][]string{
		{"create", "docknet"},
		{"deploy", "--name", "web", "--network", "docknet", "--replicas", "2", "--no-resolve-image", "swarmnet/demo"},
	} {
		through(s, name, env, args...).Assert(t, icmd.Success)
	}
	r := through(s, name, env, "ps", "docknet")
	r.Assert(t, icmd.Success)
	assert.Check(t, is.Contains(r.Stdout(), "web.2"))
	s.Docker("service", "rm", "web").Assert(t, icmd.Success)
	through(s, name, env, "rm", "docknet").Assert(t, icmd.Success)
	assert.Check(t, s.Network(t, "docknet") == nil)
}

// refusedThrough: the error names the context, and nothing is on stdout.
func refusedThrough(t *testing.T, s *harness.Swarm, name string, env []string) {
	t.Helper()
	for _, args := range [][]string{{"ls"}, {"create", "docknet"}} {
		r := through(s, name, env, args...)
		assert.Check(t, is.Equal(r.ExitCode, 1), "%s", r)
		assert.Check(t, is.Equal(r.Stdout(), ""))
		assert.Check(t, is.Contains(r.Stderr(), name))
	}
	assert.Check(t, s.Network(t, "docknet") == nil)
}

func through(s *harness.Swarm, name string, env []string, args ...string) *icmd.Result {
	cmd := s.Command(append([]string{"-c", name, "swarmnet"}, args...)...)
	cmd.Env = append(cmd.Env, env...)
	cmd.Timeout = 2 * s.Patience()
	return icmd.RunCmd(cmd)
}

func addContext(t *testing.T, s *harness.Swarm, name, docker string) {
	t.Helper()
	s.Docker("context", "create", name, "--docker", docker).Assert(t, icmd.Success)
	t.Cleanup(func() { s.Docker("context", "rm", "-f", name) })
}

// An authority signs certificates for one test.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{cert: template("authority")}
	a.cert.IsCA, a.cert.BasicConstraintsValid, a.cert.KeyUsage = true, true, x509.KeyUsageCertSign
	var der []byte
	a.key, der = sign(t, a.cert, a.cert, nil)
	var err error
	a.cert, err = x509.ParseCertificate(der)
	assert.NilError(t, err)
	return a
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

// sign makes a key and a certificate for it; without a signer it signs itself.
func sign(t *testing.T, cert, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	assert.NilError(t, err)
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, signer)
	assert.NilError(t, err)
	return key, der
}

// client writes a client's files and returns them as "docker context create"
// takes them.
func (a authority) client(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	key, der := sign(t, template("client"), a.cert, a.key)
	private, err := x509.MarshalECPrivateKey(key)
	assert.NilError(t, err)
	option := ""
	for name, block := range map[string]*pem.Block{
		"ca": {Type: "CERTIFICATE", Bytes: a.cert.Raw}, "cert": {Type: "CERTIFICATE", Bytes: der}, "key": {Type: "EC PRIVATE KEY", Bytes: private},
	} {
		file := filepath.Join(dir, name+".pem")
		assert.NilError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
		option += "," + name + "=" + file
	}
	return option
}

// serveTLS stands before an engine's socket as dockerd --tlsverify would.
func serveTLS(t *testing.T, a authority, socket string) (address string) {
	t.Helper()
	key, der := sign(t, template("server"), a.cert, a.key)
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool,
	})
	assert.NilError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				engine, err := net.Dial("unix", socket)
				if err != nil {
					return
				}
				defer engine.Close()
				go func() { _, _ = io.Copy(engine, conn); _ = engine.(*net.UnixConn).CloseWrite() }()
				_, _ = io.Copy(conn, engine)
			}()
		}
	}()
	return listener.Addr().String()
}

// serveSSH runs an ssh server that leads to the engine, for the key "client"
// of the directory; it knows nothing of the key "stranger".
func serveSSH(t *testing.T, dir, dockerHost string) (port int) {
	t.Helper()
	for _, key := range []string{"host", "client", "stranger"} {
		out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, key)).CombinedOutput()
		assert.NilError(t, err, "%s", out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	assert.NilError(t, err)
	port = free.Addr().(*net.TCPAddr).Port
	assert.NilError(t, free.Close())
	docker := lab.DockerBinary()
	config := fmt.Sprintf(`Port %d
ListenAddress 127.0.0.1
HostKey %[2]s/host
AuthorizedKeysFile %[2]s/client.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
ForceCommand exec env DOCKER_HOST=%[3]s DOCKER_CONTEXT= %[4]s system dial-stdio
`, port, dir, dockerHost, docker)
	file := filepath.Join(dir, "sshd_config")
	assert.NilError(t, os.WriteFile(file, []byte(config), 0o600))
	assert.NilError(t, os.MkdirAll("/run/sshd", 0o755)) // where the server separates its privileges
	path, err := exec.LookPath("sshd")
	if err != nil {
		path = "/usr/sbin/sshd"
	}
	ctx, stop := context.WithCancel(context.Background())
	var log bytes.Buffer
	server := exec.CommandContext(ctx, path, "-D", "-e", "-f", file)
	server.Stderr = &log
	assert.NilError(t, server.Start())
	t.Cleanup(func() {
		stop()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("sshd:\n%s", log.String())
		}
	})
	poll.WaitOn(t, func(poll.LogT) poll.Result {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return poll.Continue("%v", err)
		}
		_ = conn.Close()
		return poll.Success()
	})
	return port
}

// sshAs makes a directory with an ssh that has that key and settings of its
// own: docker calls the one it finds first.
func sshAs(t *testing.T, dir, key string) string {
	t.Helper()
	real, err := exec.LookPath("ssh")
	assert.NilError(t, err)
	bin := filepath.Join(dir, "bin-"+key)
	assert.NilError(t, os.Mkdir(bin, 0o755))
	script := fmt.Sprintf("#!/bin/sh\nexec %s -F none -i %s -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=%s/known -o LogLevel=ERROR \"$@\"\n", real, filepath.Join(dir, key), dir)
	assert.NilError(t, os.WriteFile(filepath.Join(bin, "ssh"), []byte(script), 0o755))
	return bin
}
