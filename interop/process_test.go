//go:build interop && linux

package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// process is a server in the foreground, a child of the test program.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // why it ended; read after done
}

// startProcess starts argv under root. When root is not "/" the program and
// its parts stand in an unpacked folder but look for each other under /usr:
// the folder is laid over /usr in a mount namespace that lives as long as the
// program does and that nobody else sees.
func startProcess(name, root, output string, argv ...string) (*process, error) {
	if root != "/" {
		overlay := `mount -t overlay overlay -o "lowerdir=$0/usr:/usr" /usr && exec "$@"`
		argv = append([]string{"unshare", "--mount", "--", "/bin/sh", "-c", overlay, root}, argv...)
	}
	out, err := os.Create(output)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer out.Close() // the child has its own copy
	p := &process{name: name, cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	// A test program that is killed takes its servers along.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	go func() {
		defer close(p.done)
		// The signal follows the thread that started the child, so this one
		// must outlive it.
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// stop asks the process to end and waits; after ten seconds it is killed,
// which is an error.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.done:
		return nil
	case <-time.After(10 * time.Second):
	}
	_ = p.cmd.Process.Kill() // as above
	<-p.done
	return fmt.Errorf("stop %s: it did not end within 10 s of being asked and was killed", p.name)
}

// waitForPort returns when something answers on a loopback port, or when the
// process ends or the context does.
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

// poll asks ready every 20 ms until it says yes, fails with anything but
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

// processesUnder lists the running processes that work in dir or were told of
// it in their arguments or environment: every part of the two servers is.
func processesUnder(dir string) ([]string, error) {
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, errors.New("/proc lists no process")
	}
	var found []string
	for _, entry := range entries {
		if entry == fmt.Sprintf("/proc/%d", os.Getpid()) {
			continue
		}
		// Any of these may fail: the process may be gone.
		cwd, _ := os.Readlink(entry + "/cwd")
		arguments, _ := os.ReadFile(entry + "/cmdline")
		environment, _ := os.ReadFile(entry + "/environ")
		if strings.HasPrefix(cwd, dir) || bytes.Contains(arguments, []byte(dir)) || bytes.Contains(environment, []byte(dir)) {
			words := strings.TrimSpace(string(bytes.ReplaceAll(arguments, []byte{0}, []byte{' '})))
			found = append(found, fmt.Sprintf("%s %s", filepath.Base(entry), words))
		}
	}
	return found, nil
}

// freePorts finds n loopback ports that nobody listens on. They are held
// together, so that they differ, and let go for the servers to take.
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
