package transport

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// httpProxy answers one CONNECT and returns the request.
func httpProxy(t *testing.T, answer string) (address string, asked <-chan *http.Request) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests := make(chan *http.Request, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		r := bufio.NewReader(conn)
		if req, err := http.ReadRequest(r); err == nil {
			requests <- req
			_, _ = io.WriteString(conn, answer)
		}
		_, _ = io.Copy(io.Discard, r)
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return listener.Addr().String(), requests
}

func TestHTTPProxy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, user, answer string
		authorization      string // decoded; "" for none
		wantErr            string
	}{
		{name: "open to all", answer: "HTTP/1.1 200 OK\r\n\r\n220 hello\r\n"},
		{name: "user and password", user: "me:s%40cret@", answer: "HTTP/1.1 200 OK\r\n\r\n220 hello\r\n", authorization: "me:s@cret"},
		{name: "a token for a user", user: "token@", answer: "HTTP/1.0 200 OK\r\n\r\n220 hello\r\n", authorization: "token:"},
		{name: "another yes", answer: "HTTP/1.1 299 Go\r\n\r\n220 hello\r\n"},
		{name: "no", user: "me:s%40cret@", answer: "HTTP/1.1 407 Who \x1b[31mare you\r\nContent-Length: 0\r\n\r\n", authorization: "me:s@cret",
			wantErr: "407 Who \uFFFD[31mare you to CONNECT smtp.example.org:465"},
		{name: "an endless header", answer: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n220 hello\r\n", wantErr: "EOF"},
		{name: "no HTTP", user: "me:s%40cret@", answer: "220 hello\r\n\r\n", authorization: "me:s@cret", wantErr: "malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address, asked := httpProxy(t, tt.answer)
			dialer, err := ProxyDialer("http://"+tt.user+address, nil)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := dialer.DialContext(t.Context(), "tcp", "smtp.example.org:465")
			req := <-asked
			if req.Method != http.MethodConnect || req.RequestURI != "smtp.example.org:465" || req.Host != "smtp.example.org:465" {
				t.Errorf("asked %s %s of %s", req.Method, req.RequestURI, req.Host)
			}
			coded, _ := strings.CutPrefix(req.Header.Get("Proxy-Authorization"), "Basic ")
			if clear, err := base64.StdEncoding.DecodeString(coded); err != nil || string(clear) != tt.authorization {
				t.Errorf("authorization %q, want %q", clear, tt.authorization)
			}
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) || strings.Contains(err.Error(), "cret") {
					t.Errorf("error %v, want one with %q and no password", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			// The greeting came in the packet of the response.
			if line, err := bufio.NewReader(conn).ReadString('\n'); line != "220 hello\r\n" {
				t.Errorf("heard %q, %v", line, err)
			}
		})
	}
}

// If a proxy never answers, the context ends the wait.
func TestHTTPProxyKeepsToTheContext(t *testing.T) {
	t.Parallel()
	address, asked := httpProxy(t, "")
	dialer, err := ProxyDialer("http://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if conn, err := dialer.DialContext(ctx, "tcp", "smtp.example.org:465"); !errors.Is(err, context.Canceled) {
		t.Errorf("connection %v, error %v", conn, err)
	}
}

// A proxy error has a kind, except after the caller cancelled.
func TestProxyErrorKinds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"refused":   {io.EOF, proxyRefused},
		"cancelled": {context.Canceled, ""},
		"silent":    {context.DeadlineExceeded, proxyAway},
	} {
		e := &proxyError{proxy: "http://127.0.0.1:1", kind: proxyRefused, err: test.err}
		if got := e.FailureKind(); got != test.want || !errors.Is(e, test.err) || !strings.HasPrefix(e.Error(), "proxy http://127.0.0.1:1: ") {
			t.Errorf("%s: %q, %v", name, got, e)
		}
	}
}
