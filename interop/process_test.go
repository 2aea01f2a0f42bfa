//go:build interop && linux

package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is a server in the foreground. It runs until its standard input ends:
// when stop closes it, or when the test program dies.
type process struct {
	name  string
	input io.Closer
	done  chan struct{} // closed when it has ended
	err   error         // why it ended; read after done
}

// guard runs a server as a child and ends it when descriptor 3, the former
// standard input, ends.
const guard = `exec 3<&0
"$@" 3<&- </dev/null & server=$!
{ cat <&3 >/dev/null; kill "$server" 2>/dev/null; } &
exec 3<&-
wait "$server"`

// overlay mounts an unpacked directory over /usr, in a private mount namespace
// that lives as long as the program: the unpacked programs look for each other
// under /usr.
const overlay = `mount -t overlay overlay -o "lowerdir=$0/usr:/usr" /usr && exec "$@"`

// startProcess starts argv, whose programs are under root ("/" if they are
// installed). Its output goes to the file output.
func startProcess(name, root, output string, argv ...string) (*process, error) {
	if root != "/" {
		argv = append([]string{"unshare", "--mount", "--", "/bin/sh", "-c", overlay, root}, argv...)
	}
	out, err := os.Create(output)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer out.Close() // the child has its own copy
	command := exec.Command("/bin/sh", append([]string{"-c", guard, name}, argv...)...)
	command.Stdout, command.Stderr = out, out
	return start(name, command)
}

// start starts a command that ends when its standard input does.
func start(name string, command *exec.Cmd) (*process, error) {
	input, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, input: input, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = command.Wait()
	}()
	return p, nil
}

// stop ends the process and waits ten seconds for it.
func (p *process) stop() error {
	_ = p.input.Close() // already closed if the process has ended
	select {
	case <-p.done:
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("stop %s: it did not end within 10 s of being asked", p.name)
	}
}

// waitForPort returns when a loopback port accepts connections, or when the
// process or the context ends.
func (p *process) waitForPort(ctx context.Context, port int) error {
	address := fmt.Sprintf("127.0.0.1:%d", port)
	return poll(ctx, func() (bool, error) {
		select {
		case <-p.done:
			return false, fmt.Errorf("%s ended: %v", p.name, p.err)
		default:
		}
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false, fmt.Errorf("%s on port %d: %w", p.name, port, errNotYet)
		}
		return true, connection.Close()
	})
}

var errNotYet = errors.New("nothing there yet")

// poll calls ready every 20 ms until it returns true or an error other than
// errNotYet, or the context ends.
func poll(ctx context.Context, ready func() (bool, error)) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := ready()
		if ok || err != nil && !errors.Is(err, errNotYet) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

// processesUnder lists the running processes, by id, that work in dir or have
// it in their arguments or environment: this covers every part of the servers.
func processesUnder(dir string) (map[int]string, error) {
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, errors.New("/proc lists no process")
	}
	found := map[int]string{}
	for _, entry := range entries {
		id, err := strconv.Atoi(filepath.Base(entry))
		if err != nil || id == os.Getpid() {
			continue
		}
		// Any of these may fail: the process may be gone.
		cwd, _ := os.Readlink(entry + "/cwd")
		arguments, _ := os.ReadFile(entry + "/cmdline")
		environment, _ := os.ReadFile(entry + "/environ")
		if strings.HasPrefix(cwd, dir) || bytes.Contains(arguments, []byte(dir)) || bytes.Contains(environment, []byte(dir)) {
			found[id] = strings.TrimSpace(string(bytes.ReplaceAll(arguments, []byte{0}, []byte{' '})))
		}
	}
	return found, nil
}

// freePorts finds n free loopback ports. It opens them together, so that they
// differ, and closes them for the servers to use.
func freePorts(n int) ([]int, error) {
	ports := make([]int, 0, n)
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
