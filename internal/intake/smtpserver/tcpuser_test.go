package smtpserver

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

const socketTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:09C5 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 1001 1 0 20 4 30 10 -1
   1: 0100007F:D431 0100007F:09C5 01 00000000:00000000 00:00000000 00000000    33        0 1002 1 0 20 4 30 10 -1
   2: 0100007F:D432 0100007F:09C5 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0
   3: 0100007F:D433 0100007F:09C5 05 00000000:00000000 00:00000000 00000000    34        0 1003 1 0 20 4 30 10 -1
   4: 0100007F:D434 0100007F:09C5 01 short
   5: 00000000000000000000000001000000:D435 00000000000000000000000001000000:09C5 01 00000000:00000000 00:00000000 00000000    35        0 1004 1 0
   6: 0000000000000000FFFF00000100007F:D436 0000000000000000FFFF00000100007F:09C5 01 00000000:00000000 00:00000000 00000000    36        0 1005 1 0
`

func TestFindSocket(t *testing.T) {
	t.Parallel()
	for client, want := range map[string]int{
		"127.0.0.1:54321": 33,
		"127.0.0.1:54322": -1, // closed: the table says root
		"127.0.0.1:54323": 34, // half closed, and still open in its process
		"127.0.0.1:54324": -1,
		"[::1]:54325":     35,
		"127.0.0.1:54326": 36, // a socket of IPv6 that is connected to an address of IPv4
		"127.0.0.1:54327": -1,
	} {
		server := netip.MustParseAddrPort("127.0.0.1:2501")
		c := netip.MustParseAddrPort(client)
		if c.Addr().Is6() {
			server = netip.MustParseAddrPort("[::1]:2501")
		}
		uid, err := findSocket(strings.NewReader(socketTable), c, server)
		if want < 0 {
			if !errors.Is(err, ErrNoTCPUser) {
				t.Errorf("%s: uid %d, %v", client, uid, err)
			}
			continue
		}
		if err != nil || uid != want {
			t.Errorf("%s: uid %d, %v; want %d", client, uid, err, want)
		}
	}
}

func FuzzFindSocket(f *testing.F) {
	f.Add(socketTable)
	f.Fuzz(func(t *testing.T, table string) {
		uid, err := findSocket(strings.NewReader(table), netip.MustParseAddrPort("127.0.0.1:54321"), netip.MustParseAddrPort("127.0.0.1:2501"))
		if err == nil && uid < 0 {
			t.Errorf("uid %d", uid)
		}
	})
}
