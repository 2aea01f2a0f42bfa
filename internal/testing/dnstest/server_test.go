package dnstest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// big is a set of TXT records that is too large for a resolver's UDP packet.
func big() []string {
	var lines []string
	for i := range 40 {
		lines = append(lines, fmt.Sprintf("TXT %d %s", i, strings.Repeat("x", 300)))
	}
	return lines
}

func zone() Zone {
	return Zone{
		"Corp.Example.":                  {"A 192.0.2.1", "AAAA 2001:db8::1", "MX 20 mx2.corp.example", "MX 10 mx1.corp.example.", "TXT v=spf1 include:a  -all"},
		"_submissions._tcp.corp.example": {"SRV 10 0 465 late.corp.example", "SRV 0 1 465 smtp.corp.example"},
		"_submission._tcp.corp.example":  {"SRV 0 0 0 ."},
		"www.corp.example":               {"CNAME corp.example"},
		"chain.example":                  {"CNAME www.corp.example"},
		"circle.example":                 {"CNAME circle.example"},
		"dangling.example":               {"CNAME nobody.example"},
		"*.wild.example":                 {"A 192.0.2.7"},
		"not.wild.example":               {"TXT here"},
		"broken.example":                 {"SERVFAIL"},
		"half.example":                   {"SERVFAIL MX", "A 192.0.2.2"},
		"refused.example":                {"REFUSED"},
		"silent.example":                 {"SILENCE"},
		"big.example":                    big(),
		"1.2.0.192.in-addr.arpa":         {"PTR corp.example"},
	}
}

// lookup queries like a program and returns the answer as one line.
func lookup(ctx context.Context, r *net.Resolver, kind, name string) (string, error) {
	switch kind {
	case "host":
		list, err := r.LookupHost(ctx, name)
		slices.Sort(list)
		return strings.Join(list, " "), err
	case "MX":
		list, err := r.LookupMX(ctx, name)
		var b strings.Builder
		for _, mx := range list {
			fmt.Fprintf(&b, "%d %s ", mx.Pref, mx.Host)
		}
		return strings.TrimSpace(b.String()), err
	case "SRV":
		_, list, err := r.LookupSRV(ctx, "", "", name)
		var b strings.Builder
		for _, s := range list {
			fmt.Fprintf(&b, "%d %d %d %s ", s.Priority, s.Weight, s.Port, s.Target)
		}
		return strings.TrimSpace(b.String()), err
	case "TXT":
		list, err := r.LookupTXT(ctx, name)
		return strings.Join(list, "|"), err
	case "CNAME":
		return r.LookupCNAME(ctx, name)
	case "PTR":
		list, err := r.LookupAddr(ctx, name)
		return strings.Join(list, " "), err
	}
	return "", errors.New("no such kind")
}

func TestGosResolverAsks(t *testing.T) {
	t.Parallel()
	r := Start(t, zone()).Resolver()
	for _, test := range []struct{ kind, name, want string }{
		{"host", "corp.example.", "192.0.2.1 2001:db8::1"},
		{"host", "CORP.example.", "192.0.2.1 2001:db8::1"},
		{"host", "chain.example.", "192.0.2.1 2001:db8::1"},
		{"host", "deep.er.wild.example.", "192.0.2.7"},
		{"host", "half.example.", "192.0.2.2"},
		{"MX", "corp.example.", "10 mx1.corp.example. 20 mx2.corp.example."},
		{"SRV", "_submissions._tcp.corp.example.", "0 1 465 smtp.corp.example. 10 0 465 late.corp.example."},
		{"SRV", "_submission._tcp.corp.example.", "0 0 0 ."},
		{"TXT", "corp.example.", "v=spf1 include:a  -all"},
		{"CNAME", "www.corp.example.", "corp.example."},
		{"PTR", "192.0.2.1", "corp.example."},
	} {
		got, err := lookup(t.Context(), r, test.kind, test.name)
		if err != nil || got != test.want {
			t.Errorf("%s %s: %q, %v, want %q", test.kind, test.name, got, err, test.want)
		}
	}
}

func TestWhatGoesWrong(t *testing.T) {
	t.Parallel()
	r := Start(t, zone()).Resolver()
	for _, test := range []struct {
		kind, name string
		notFound   bool
		temporary  bool
	}{
		{"host", "nobody.example.", true, false},
		{"MX", "smtp.corp.example.", true, false},
		{"host", "example.", true, false},          // parent of other names: no records
		{"host", "not.wild.example.", true, false}, // exists itself: the wildcard does not apply
		{"host", "below.not.wild.example.", true, false},
		{"host", "dangling.example.", true, false},
		{"host", "circle.example.", true, false},
		{"host", "broken.example.", false, true},
		{"MX", "half.example.", false, true},
		{"MX", "refused.example.", false, false},
	} {
		got, err := lookup(t.Context(), r, test.kind, test.name)
		var dns *net.DNSError
		if !errors.As(err, &dns) || dns.IsNotFound != test.notFound || dns.IsTemporary != test.temporary {
			t.Errorf("%s %s: %q, %#v", test.kind, test.name, got, err)
		}
	}
}

func TestSilenceLastsUntilTheContextEnds(t *testing.T) {
	t.Parallel()
	s := Start(t, zone())
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	got, err := lookup(ctx, s.Resolver(), "TXT", "silent.example.")
	var dns *net.DNSError
	if !errors.As(err, &dns) || !dns.IsTimeout {
		t.Errorf("silence was an answer: %q, %v", got, err)
	}
}

func TestLongAnswersComeOverTCP(t *testing.T) {
	t.Parallel()
	s := Start(t, zone())
	got, err := lookup(t.Context(), s.Resolver(), "TXT", "big.example.")
	if err != nil || strings.Count(got, "|") != 39 || !strings.Contains(got, "39 "+strings.Repeat("x", 300)) {
		t.Errorf("%d octets, %v", len(got), err)
	}
	want := []Query{{"big.example", "TXT", "udp"}, {"big.example", "TXT", "tcp"}}
	if got := s.Queries(); !slices.Equal(got, want) {
		t.Errorf("asked %v, want %v", got, want)
	}
}

// ask sends a question over UDP, without EDNS, after other packets.
func ask(t *testing.T, s *Server, name string, kind dnsmessage.Type, before ...[]byte) (dnsmessage.Message, int) {
	t.Helper()
	query := dnsmessage.Message{Header: dnsmessage.Header{ID: 7}, Questions: []dnsmessage.Question{
		{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}}}
	packed, err := query.Pack()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("udp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, packet := range append(before, packed) {
		if _, err := conn.Write(packet); err != nil {
			t.Fatal(err)
		}
	}
	buffer := make([]byte, 4096)
	n, err := conn.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	var reply dnsmessage.Message
	if err := reply.Unpack(buffer[:n]); err != nil {
		t.Fatal(err)
	}
	if reply.ID != 7 || !reply.Response || !reply.Authoritative || len(reply.Questions) != 1 {
		t.Errorf("%s: %+v", name, reply.Header)
	}
	return reply, n
}

// A client without EDNS gets at most 512 octets; a packet that is no query is
// ignored, and the server goes on.
func TestPackets(t *testing.T) {
	t.Parallel()
	s := Start(t, Zone{"corp.example": {"TXT " + strings.Repeat("y", 600)}})
	reply, n := ask(t, s, "corp.example.", dnsmessage.TypeTXT, []byte("lunch"), []byte{0, 7, 0, 0, 0, 1, 0, 0})
	if !reply.Truncated || len(reply.Answers) != 0 || n > 512 {
		t.Errorf("%d octets: %+v", n, reply.Header)
	}
}

// Differences that Go's resolver hides: a missing name, a name without records,
// and the owner of the records.
func TestCodesAndOwners(t *testing.T) {
	t.Parallel()
	s := Start(t, zone())
	for _, test := range []struct {
		name   string
		code   dnsmessage.RCode
		owners string
	}{
		{"nobody.example.", dnsmessage.RCodeNameError, ""},
		{"example.", dnsmessage.RCodeSuccess, ""},
		{"_tcp.corp.example.", dnsmessage.RCodeSuccess, ""},
		{"not.wild.example.", dnsmessage.RCodeSuccess, ""},
		{"below.not.wild.example.", dnsmessage.RCodeNameError, ""},
		{"some.wild.example.", dnsmessage.RCodeSuccess, "some.wild.example."},
		{"Corp.Example.", dnsmessage.RCodeSuccess, "Corp.Example."},
		{"chain.example.", dnsmessage.RCodeSuccess, "chain.example. www.corp.example. corp.example."},
		{"dangling.example.", dnsmessage.RCodeNameError, "dangling.example."},
		{"broken.example.", dnsmessage.RCodeServerFailure, ""},
		{"refused.example.", dnsmessage.RCodeRefused, ""},
	} {
		reply, _ := ask(t, s, test.name, dnsmessage.TypeA)
		var owners []string
		for _, a := range reply.Answers {
			owners = append(owners, a.Header.Name.String())
		}
		if got := strings.Join(owners, " "); reply.RCode != test.code || got != test.owners {
			t.Errorf("%s: %v, %q, want %v, %q", test.name, reply.RCode, got, test.code, test.owners)
		}
	}
}

func TestZonesThatAreWrong(t *testing.T) {
	t.Parallel()
	for _, zone := range []Zone{
		{"a.example": {"A 2001:db8::1"}}, {"a.example": {"AAAA 192.0.2.1"}}, {"a.example": {"A lunch"}},
		{"a.example": {"MX mx.example"}}, {"a.example": {"SRV 0 1 70000 smtp.example"}}, {"a.example": {"HINFO x"}},
		{"a.example": {"SERVFAIL HINFO"}}, {"a.example": nil, "A.Example.": nil},
		{"a.example": {"CNAME " + strings.Repeat("x", 300)}}, {strings.Repeat("x", 300): {"A 192.0.2.1"}},
	} {
		if s, err := startServer(zone); err == nil {
			s.close()
			t.Errorf("zone %v was accepted", zone)
		}
	}
}

// An open connection does not keep a test from ending.
func TestCloseEndsOpenConnections(t *testing.T) {
	t.Parallel()
	s, err := startServer(zone())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s.close()
}
