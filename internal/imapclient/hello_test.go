package imapclient_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/yanmail/yan/internal/testing/faultproxy"
)

// A server, or a firewall in front of it, that closes connections with a large ClientHello
// gets a small one, and from then on only that.
func TestSmallClientHello(t *testing.T) {
	t.Parallel()
	play := func(s *script) {
		s.enter("")
		s.upload(`"Sent"`, "OK saved")
	}
	cfg, server := serve(t, play, play)
	box, err := faultproxy.NewOldBox(net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)))
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	cfg.Port = box.Port()
	b := open(t, cfg)
	defer b.Close()
	for range 2 { // the server hangs up after each message
		must(t, b, "a\r\n")
		<-server.over
	}
	if box.Closed() != 1 {
		t.Errorf("%d connections with a large ClientHello, want 1", box.Closed())
	}
}
