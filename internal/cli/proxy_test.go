package cli

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// testProxy is a minimal proxy on loopback.
type testProxy struct {
	listener net.Listener
	tunnels  atomic.Int64
	group    sync.WaitGroup
	// hosts maps names that only the proxy knows, "host:port", to addresses.
	hosts map[string]string
}

// startProxy starts a proxy that speaks "socks5" (RFC 1928, no authentication) or "http" (CONNECT).
func startProxy(kind string) (*testProxy, error) { return startProxyTo(kind, nil) }

// startProxyTo starts a proxy that knows hosts of its own.
func startProxyTo(kind string, hosts map[string]string) (*testProxy, error) {
	greet := map[string]func(net.Conn) (string, io.Reader, error){"socks5": greetSOCKS5, "http": greetHTTP}[kind]
	if greet == nil {
		return nil, fmt.Errorf("no proxy %q", kind)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &testProxy{listener: l, hosts: hosts}
	p.group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.group.Go(func() { p.serve(client, kind, greet) })
		}
	})
	return p, nil
}

func (p *testProxy) close() {
	_ = p.listener.Close() // ends the accept loop
	p.group.Wait()
}

func (p *testProxy) serve(client net.Conn, kind string, greet func(net.Conn) (string, io.Reader, error)) {
	defer client.Close()
	target, from, err := greet(client)
	if err != nil {
		return
	}
	if at, known := p.hosts[target]; known {
		target = at
	}
	server, err := net.Dial("tcp", target)
	if err != nil {
		if kind == "http" {
			_, _ = io.WriteString(client, "HTTP/1.1 502 Bad Gateway\r\n\r\n") // the client may have left
		} else {
			_, _ = client.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0}) // refused
		}
		return
	}
	defer server.Close()
	p.tunnels.Add(1)
	if kind == "http" {
		_, err = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	} else {
		_, err = client.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	}
	if err != nil {
		return
	}
	done := make(chan struct{}, 2)
	for _, way := range []struct {
		to   net.Conn
		from io.Reader
	}{{server, from}, {client, server}} {
		go func() {
			_, _ = io.Copy(way.to, way.from) // either end may close
			done <- struct{}{}
		}()
	}
	<-done // closing both ends stops the other copy
}

func greetSOCKS5(c net.Conn) (string, io.Reader, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(c, head); err != nil || head[0] != 5 {
		return "", nil, errors.New("not SOCKS5")
	}
	if _, err := io.ReadFull(c, make([]byte, head[1])); err != nil {
		return "", nil, err
	}
	if _, err := c.Write([]byte{5, 0}); err != nil {
		return "", nil, err
	}
	request := make([]byte, 4)
	if _, err := io.ReadFull(c, request); err != nil {
		return "", nil, err
	}
	length := 4
	if request[3] == 3 { // a host name
		one := make([]byte, 1)
		if _, err := io.ReadFull(c, one); err != nil {
			return "", nil, err
		}
		length = int(one[0])
	}
	rest := make([]byte, length+2)
	if _, err := io.ReadFull(c, rest); err != nil {
		return "", nil, err
	}
	host := string(rest[:length])
	if request[3] == 1 {
		host = net.IP(rest[:length]).String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(rest[length:])))), c, nil
}

func greetHTTP(c net.Conn) (string, io.Reader, error) {
	r := bufio.NewReader(c)
	request, err := http.ReadRequest(r)
	if err != nil || request.Method != http.MethodConnect {
		return "", nil, errors.New("not CONNECT")
	}
	return request.Host, r, nil
}

func scriptProxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: proxy socks5|http")
	}
	p, err := startProxy(args[0])
	ts.Check(err)
	ts.Defer(p.close)
	worldOf(ts).proxy = p
	ts.Setenv("PROXY", args[0]+"://"+p.listener.Addr().String())
}

func scriptProxied(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: proxied N")
	}
	if got := strconv.FormatInt(worldOf(ts).proxy.tunnels.Load(), 10); got != args[0] {
		ts.Fatalf("%s connections went through the proxy, want %s", got, args[0])
	}
}

// pinOf returns the fingerprint of a certificate as --tls-pin takes it.
func pinOf(certificate []byte) (string, error) {
	block, _ := pem.Decode(certificate)
	if block == nil {
		return "", errors.New("no certificate")
	}
	sum := sha256.Sum256(block.Bytes)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
