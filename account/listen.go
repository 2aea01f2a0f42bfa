package account

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
)

// ListenSMTP is the table [listen.smtp]: the address at which 'yan serve' takes messages from
// programs.
type ListenSMTP struct {
	// Address is host and port; the host is an IP address, or "localhost" for both loopback
	// addresses.
	Address string
	// Local lists the accounts that processes of this machine may use without a login; the first
	// sends what none of the others serves. It requires a loopback address.
	Local []string
	// Users limits the use without a login to processes of these users of this machine; Linux only.
	// It requires a loopback address.
	Users []string
	// Certificate and Key are PEM files; "" means no TLS.
	Certificate, Key string
	// Insecure allows logins without TLS at an address that is not loopback, from Networks only.
	Insecure bool
	// Networks are the only addresses that may connect; none means all.
	Networks []netip.Prefix
	// RepeatNew accepts a message again that a client repeats after its reply was lost. By default
	// the repetition is the same message.
	RepeatNew bool
	// Trace adds a Received field with the client's name and address.
	Trace bool
	// MaxConnections and MaxPerPeer limit the open connections, in total and of one address or user.
	MaxConnections, MaxPerPeer int
}

// The defaults of [listen.smtp].
const (
	DefaultListenConnections = 1000
	DefaultListenPerPeer     = 50
)

// UnderstoodInsecure is the only value of the key insecure.
const UnderstoodInsecure = "i understand: passwords in the clear"

// The values of the key repeat.
const (
	repeatSame = "same"
	repeatNew  = "new"
)

// ListenSMTP returns the table [listen.smtp]; ok is false if the file has none.
func (f *File) ListenSMTP() (l ListenSMTP, ok bool) { return f.listenSMTP, f.listens }

// IsLoopback reports whether only processes of this machine can reach the address.
func (l ListenSMTP) IsLoopback() bool {
	host, _, err := net.SplitHostPort(l.Address)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// ListenAddress parses an address to listen at: a port alone means localhost; all interfaces have to
// be asked for with 0.0.0.0 or [::].
func ListenAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	whole := s
	if !strings.Contains(s, ":") {
		whole = ":" + s
	}
	host, port, err := net.SplitHostPort(whole)
	number, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil {
		return "", localerr.Errorf("%q: want a port or an address with a port, like 127.0.0.1:2525", s)
	}
	if host == "" {
		host = "localhost"
	}
	if host != "localhost" {
		address, err := netip.ParseAddr(host)
		if err != nil {
			return "", localerr.Errorf("%q: want an IP address or localhost; 0.0.0.0 or [::] means all", host)
		}
		host = address.String()
	}
	return net.JoinHostPort(host, strconv.FormatUint(number, 10)), nil
}

// listenSettings are the tables of listeners.
type listenSettings struct {
	SMTP *listenSMTPSettings `toml:"smtp"`
}

// listenSMTPSettings are the keys of [listen.smtp]; nil means that the key is not set.
type listenSMTPSettings struct {
	Address        *string   `toml:"address"`
	Local          *[]string `toml:"local"`
	Users          *[]string `toml:"users"`
	Certificate    *string   `toml:"certificate"`
	Key            *string   `toml:"key"`
	Insecure       *string   `toml:"insecure"`
	Networks       *[]string `toml:"networks"`
	Repeat         *string   `toml:"repeat"`
	Trace          *bool     `toml:"trace"`
	MaxConnections *int      `toml:"max_connections"`
	MaxPerPeer     *int      `toml:"max_per_peer"`
}

// readListen sets [listen.smtp]; each unusable key is a fault.
func (f *File) readListen(listen listenSettings) {
	s := listen.SMTP
	if s == nil {
		return
	}
	add := func(fault Fault, key string, err error) { f.addFault(fault, err, "listen", "smtp", key) }
	l := ListenSMTP{MaxConnections: DefaultListenConnections, MaxPerPeer: DefaultListenPerPeer}
	if s.Address == nil {
		add(FaultValue, "address", localerr.New("the address is missing: want a port, or an address with a port"))
	} else {
		address, err := ListenAddress(*s.Address)
		add(FaultValue, "address", err)
		l.Address = address
	}
	optional(&l.Local, s.Local)
	optional(&l.Users, s.Users)
	l.Certificate, l.Key = f.optionalFile(s.Certificate), f.optionalFile(s.Key)
	if s.Insecure != nil {
		if l.Insecure = *s.Insecure == UnderstoodInsecure; !l.Insecure {
			add(FaultValue, "insecure", localerr.Errorf("want %q and networks, or a certificate instead", UnderstoodInsecure))
		}
	}
	if s.Networks != nil {
		networks, err := parseNetworks(*s.Networks)
		add(FaultValue, "networks", err)
		l.Networks = networks
	}
	if s.Repeat != nil {
		if l.RepeatNew = *s.Repeat == repeatNew; !l.RepeatNew && *s.Repeat != repeatSame {
			add(FaultValue, "repeat", localerr.Errorf("%q: want %s or %s", *s.Repeat, repeatSame, repeatNew))
		}
	}
	optional(&l.Trace, s.Trace)
	optional(&l.MaxConnections, s.MaxConnections)
	optional(&l.MaxPerPeer, s.MaxPerPeer)
	f.listenSMTP, f.listens = l, true
	for _, wrong := range f.checkListen(l) {
		add(wrong.fault, wrong.key, wrong.err)
	}
}

// optionalFile returns the path of a file that a key names, as for accounts; "" if it is not set.
func (f *File) optionalFile(name *string) string {
	if name == nil || *name == "" {
		return ""
	}
	return f.defaults.File(*name)
}

var (
	errListenPair    = localerr.New("a certificate needs two files: certificate and key")
	errListenOpen    = localerr.New("other machines can reach this address: add certificate and key, or listen at 127.0.0.1")
	errListenNetwork = localerr.New("passwords in the clear are only accepted from listed networks: add networks")
	errListenLocal   = localerr.New("other machines can reach this address, so everybody has to log in: remove it and use 'yan token new', or listen at 127.0.0.1")
)

// checkListen returns the faults of values that are valid alone.
func (f *File) checkListen(l ListenSMTP) []keyFault {
	var list []keyFault
	add := func(key string, fault Fault, err error) {
		if err != nil {
			list = append(list, keyFault{key, fault, err})
		}
	}
	for _, name := range l.Local {
		err := f.checkAccountName(name)
		if name == "" {
			err = f.unknownAccount(name)
		}
		add("local", FaultReference, err)
	}
	if (l.Certificate == "") != (l.Key == "") {
		add(map[bool]string{true: "certificate", false: "key"}[l.Key == ""], FaultValue, errListenPair)
	}
	if l.MaxConnections <= 0 {
		add("max_connections", FaultValue, localerr.New("want a number above zero"))
	}
	if l.MaxPerPeer <= 0 {
		add("max_per_peer", FaultValue, localerr.New("want a number above zero"))
	}
	return append(list, l.checkReach()...)
}

// checkReach returns the faults of a listener that would be open to other machines.
func (l ListenSMTP) checkReach() []keyFault {
	var list []keyFault
	add := func(key string, err error) { list = append(list, keyFault{key, FaultValue, err}) }
	if l.Insecure && len(l.Networks) == 0 {
		add("insecure", errListenNetwork)
	}
	if l.Address == "" || l.IsLoopback() {
		return list
	}
	if l.Certificate == "" && !l.Insecure {
		add("address", errListenOpen)
	}
	if len(l.Local) > 0 {
		add("local", errListenLocal)
	}
	if len(l.Users) > 0 {
		add("users", errListenLocal)
	}
	return list
}

// ListenAt returns the listener of the file at another address, as a flag names it. Without
// [listen.smtp], the default account is for every process of this machine. The error says why the
// listener would not be safe.
func (f *File) ListenAt(address string) (ListenSMTP, error) {
	l := f.listenSMTP
	if !f.listens {
		l = ListenSMTP{MaxConnections: DefaultListenConnections, MaxPerPeer: DefaultListenPerPeer}
		if name := f.Default(); name != "" {
			l.Local = []string{name}
		}
	}
	var err error
	if l.Address, err = ListenAddress(address); err != nil {
		return l, err
	}
	if faults := l.checkReach(); len(faults) > 0 {
		return l, faults[0].err
	}
	return l, nil
}

// parseNetworks parses networks and single addresses.
func parseNetworks(list []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, s := range list {
		if address, err := netip.ParseAddr(s); err == nil {
			networks = append(networks, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, localerr.Errorf("%q: want a network like 192.0.2.0/24 or 2001:db8::/64", s)
		}
		if network.Masked() != network {
			return nil, localerr.Errorf("%q: the network is %s", s, network.Masked())
		}
		networks = append(networks, network)
	}
	if len(networks) == 0 {
		return nil, localerr.New("the list is empty: nothing could connect")
	}
	return networks, nil
}

// Admits reports whether a client's address may connect.
func (l ListenSMTP) Admits(client netip.Addr) bool {
	return len(l.Networks) == 0 || slices.ContainsFunc(l.Networks, func(n netip.Prefix) bool { return n.Contains(client.Unmap().WithZone("")) })
}
