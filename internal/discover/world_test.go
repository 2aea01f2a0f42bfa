package discover

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/testing/dnstest"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
)

// world is a network on loopback: names in dnstest whose ports lead to servers
// of the test. Other ports refuse connections.
type world struct {
	t     *testing.T
	dns   *dnstest.Server
	roots *x509.CertPool

	mu     sync.Mutex
	ports  map[string]string // "host:port" to the address of its listener
	dialed []string
	waits  map[string]chan struct{} // dialled only after this is closed
	starts map[string]chan struct{} // closed when this is dialled
	tried  []Attempt
}

func newWorld(t *testing.T, zone dnstest.Zone) *world {
	t.Helper()
	return &world{t: t, dns: dnstest.Start(t, zone), roots: x509.NewCertPool(), ports: map[string]string{}}
}

func (w *world) finder() *Finder {
	return &Finder{Resolver: w.dns.Resolver(), Dial: w.dial, Roots: w.roots,
		// Nothing in these worlds is slow unless a test makes it so.
		Timeout: time.Minute, Patience: time.Minute,
		Tried: func(a Attempt) {
			w.tried = append(w.tried, a) // calls don't overlap, which the race detector checks
		}}
}

func (w *world) find(address string) ([]Candidate, error) {
	w.t.Helper()
	return w.finder().Find(w.t.Context(), parse(w.t, address))
}

func parse(t testing.TB, address string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, err := w.dns.Resolver().LookupHost(ctx, host+"."); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.dialed = append(w.dialed, address)
	listener := w.ports[address]
	if begun, ok := w.starts[address]; ok {
		close(begun)
		delete(w.starts, address)
	}
	turn := w.waits[address]
	w.mu.Unlock()
	if turn != nil {
		select {
		case <-turn:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if listener == "" {
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	return (&net.Dialer{}).DialContext(ctx, network, listener)
}

// smtp serves submission on ports: 465 with TLS from the first byte, any other
// with STARTTLS. Its certificate is valid for their hosts. The test fails if a
// client tried to log in, or revealed a user.
func (w *world) smtp(addresses []string, options ...sandboxtest.Option) *sandboxtest.Server {
	w.t.Helper()
	var names []string
	for _, address := range addresses {
		host, _, _ := strings.Cut(address, ":")
		names = append(names, host)
	}
	server := sandboxtest.Start(w.t, "plain", append([]sandboxtest.Option{sandboxtest.WithHostNames(names...)}, options...)...)
	w.roots.AppendCertsFromPEM(server.CAPEM())
	for _, address := range addresses {
		w.ports[address] = server.Addr()
		if strings.HasSuffix(address, ":465") {
			w.ports[address] = server.TLSAddr()
		}
	}
	w.t.Cleanup(func() {
		if !server.WaitIdle() {
			w.t.Error("a connection was left open")
		}
		if v := server.Violations(); len(v) > 0 {
			w.t.Errorf("violations: %v", v)
		}
		for line := range strings.Lines(server.Transcript()) {
			_, said, ok := strings.Cut(line, "C: ")
			if verb, _, _ := strings.Cut(strings.TrimSpace(said), " "); ok && verb != "EHLO" && verb != "STARTTLS" && verb != "QUIT" {
				w.t.Errorf("the server received %q", said)
			}
			if strings.Contains(said, "me") {
				w.t.Errorf("the server received the user's address: %q", said)
			}
		}
	})
	return server
}

// https serves HTTPS on port 443 of hosts. Its certificate is valid for
// example.com and *.example.com.
func (w *world) https(handler http.HandlerFunc, hosts ...string) *httptest.Server {
	w.t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = nil
	server.StartTLS()
	w.t.Cleanup(server.Close)
	w.roots.AddCert(server.Certificate())
	for _, host := range hosts {
		w.ports[host+":443"] = server.Listener.Addr().String()
	}
	return server
}

// silent serves ports with a silent listener.
func (w *world) silent(addresses ...string) {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { listener.Close() })
	for _, address := range addresses {
		w.ports[address] = listener.Addr().String()
	}
}

// after delays connections to one address until another one was dialled.
func (w *world) after(address, other string) {
	turn := make(chan struct{})
	w.waits = map[string]chan struct{}{address: turn}
	w.starts = map[string]chan struct{}{other: turn}
}

// why returns the reported error of an attempt, or "served".
func (w *world) why(way Method, what string) string {
	var all []string
	for _, a := range w.tried {
		if a.Took < 0 || a.Way == "" || a.What == "" {
			w.t.Errorf("attempt %+v", a)
		}
		if a.Way == way && a.What == what {
			said := "served"
			if a.Err != nil {
				said = a.Err.Error()
			}
			all = append(all, said)
		}
	}
	return strings.Join(all, "; ")
}

func (w *world) log() {
	for _, a := range w.tried {
		w.t.Logf("%s %s: %v (%v)", a.Way, a.What, a.Err, a.Took)
	}
}

// line formats a candidate as one line.
func line(c Candidate) string {
	trust := "confirm"
	if c.Trust == Verified {
		trust = "verified"
	}
	s := fmt.Sprintf("%s %s %s %s:%d/%s user=%s", c.Way, trust, c.Server, c.Host, c.Port, c.TLS, c.User)
	if c.Provider.ID != "" {
		s += " provider=" + c.Provider.ID
	}
	if c.IMAP != "" {
		s += " " + c.IMAP
	}
	if c.OAuth2 {
		s += " oauth2"
	}
	return s
}

// only returns the line of the single candidate; "" without any.
func only(t *testing.T, found []Candidate, err error) string {
	t.Helper()
	if err != nil {
		t.Errorf("find: %v", err)
	}
	if len(found) == 0 {
		return ""
	}
	if len(found) > 1 {
		t.Errorf("%d candidates", len(found))
	}
	return line(found[0])
}

// configuration returns a file in Mozilla's format with outgoing servers, each
// "host port socketType username authentication…".
func configuration(outgoing ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><clientConfig version="1.1"><emailProvider id="example.com">
<incomingServer type="pop3"><hostname>pop.example.com</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>imap.example.com</hostname><port>993</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username></incomingServer>
`)
	for _, o := range outgoing {
		f := strings.Fields(o)
		fmt.Fprintf(&b, `<outgoingServer type="smtp"><hostname>%s</hostname><port>%s</port><socketType>%s</socketType><username>%s</username>`, f[0], f[1], f[2], f[3])
		for _, word := range f[4:] {
			fmt.Fprintf(&b, "<authentication>%s</authentication>", word)
		}
		b.WriteString("</outgoingServer>\n")
	}
	b.WriteString("</emailProvider></clientConfig>")
	return b.String()
}

// answer returns a handler that serves one text.
func answer(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}
