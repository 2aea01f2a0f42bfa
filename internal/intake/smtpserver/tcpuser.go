package smtpserver

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
)

// ErrNoTCPUser: it can't be found out which user of this machine has opened a connection.
var ErrNoTCPUser = localerr.New("the user of the connection can't be found out")

// findSocket looks up a connected socket in a table like Linux's /proc/net/tcp: the one whose own
// address is local and whose other end is remote. A socket that its process has closed already has
// no inode there, and uid 0 whoever opened it: it does not count.
func findSocket(table io.Reader, local, remote netip.AddrPort) (uid int, err error) {
	s := bufio.NewScanner(table)
	for s.Scan() {
		f := strings.Fields(s.Text())
		if len(f) < 10 {
			continue
		}
		from, err := parseTableAddress(f[1])
		if err != nil || from != local {
			continue
		}
		to, err := parseTableAddress(f[2])
		if err != nil || to != remote {
			continue
		}
		uid, err := strconv.Atoi(f[7])
		if err != nil || uid < 0 || f[9] == "0" {
			continue
		}
		return uid, nil
	}
	return 0, errors.Join(s.Err(), ErrNoTCPUser)
}

// parseTableAddress reads "0100007F:09C5": words of 32 bits in the order of the machine, which is
// little-endian wherever this program is built for, and the port.
func parseTableAddress(s string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for i := 0; i+4 <= len(b); i += 4 {
		b[i], b[i+1], b[i+2], b[i+3] = b[i+3], b[i+2], b[i+1], b[i]
	}
	address, ok := netip.AddrFromSlice(b)
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is no address of a socket", s)
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(n)), nil
}
