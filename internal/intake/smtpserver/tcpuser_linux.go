package smtpserver

import (
	"errors"
	"net"
	"net/netip"
	"os"
)

// TCPUser returns the uid of the process on this machine that has opened a TCP connection over
// loopback. The error wraps ErrNoTCPUser if that is unknown, as it is for a client that has closed
// its socket already. Netlink would be faster, but services are often forbidden to use it.
func TCPUser(conn net.Conn) (uid int, err error) {
	remote, ok := conn.RemoteAddr().(*net.TCPAddr)
	local, ok2 := conn.LocalAddr().(*net.TCPAddr)
	if !ok || !ok2 || !remote.IP.IsLoopback() || !local.IP.IsLoopback() {
		return 0, ErrNoTCPUser
	}
	client, server := unmapPort(remote.AddrPort()), unmapPort(local.AddrPort())
	var failed error
	for _, name := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		uid, err := findInFile(name, client, server)
		if err == nil {
			return uid, nil
		}
		failed = errors.Join(failed, err)
	}
	return 0, failed
}

func unmapPort(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

func findInFile(name string, client, server netip.AddrPort) (int, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, errors.Join(err, ErrNoTCPUser)
	}
	defer f.Close() // read only
	return findSocket(f, client, server)
}
