package dnstest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Zone contains all records of the server. A key is a name, in any case, with
// or without its final dot; "*.corp.example" covers every name below that does
// not exist itself (RFC 4592). A value lists records in zone file format,
// without class and TTL:
//
//	A 192.0.2.1             MX 10 mx.corp.example
//	AAAA 2001:db8::1        SRV 0 1 465 smtp.corp.example    priority, weight, port
//	CNAME www.example       TXT v=spf1 -all                  all the rest is the text
//	PTR mail.example
//
// or a failure, alone for every type or with the one type that it is for:
//
//	SERVFAIL    REFUSED    SILENCE    SERVFAIL MX
//
// A name that does not exist, and is not a parent of one, is answered with
// NXDOMAIN; a type that a name lacks, with no records.
type Zone map[string][]string

// The failures of a Zone, as its words.
const (
	servfail = "SERVFAIL"
	refused  = "REFUSED"
	silence  = "SILENCE"
)

// records is a parsed Zone.
type records map[string]*node

type node struct {
	resources []dnsmessage.Resource
	// failures maps types to failures; TypeALL is for every type.
	failures map[dnsmessage.Type]string
}

func parse(zone Zone) (records, error) {
	all := records{}
	for name, lines := range zone {
		key := canonicalName(name)
		if all[key] != nil {
			return nil, fmt.Errorf("name %q stands in the zone twice", name)
		}
		n := &node{failures: map[dnsmessage.Type]string{}}
		all[key] = n
		for _, line := range lines {
			if err := n.add(key, line); err != nil {
				return nil, fmt.Errorf("name %q, record %q: %w", name, line, err)
			}
		}
	}
	return all, nil
}

// canonicalName returns a name in lower case with its final dot.
func canonicalName(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, ".")) + "."
}

func (n *node) add(name, line string) error {
	kind, rest, _ := strings.Cut(line, " ")
	switch kind {
	case servfail, refused, silence:
		of := dnsmessage.TypeALL
		if rest != "" {
			var known bool
			if of, known = types()[rest]; !known {
				return fmt.Errorf("type %q is not known", rest)
			}
		}
		n.failures[of] = kind
		return nil
	}
	body, err := parseBody(kind, rest)
	if err != nil {
		return err
	}
	owner, err := dnsmessage.NewName(name)
	if err != nil {
		return err
	}
	n.resources = append(n.resources, dnsmessage.Resource{Body: body, Header: dnsmessage.ResourceHeader{
		Name: owner, Type: types()[kind], Class: dnsmessage.ClassINET, TTL: 60}})
	return nil
}

func types() map[string]dnsmessage.Type {
	return map[string]dnsmessage.Type{
		"A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA, "CNAME": dnsmessage.TypeCNAME, "MX": dnsmessage.TypeMX,
		"PTR": dnsmessage.TypePTR, "SRV": dnsmessage.TypeSRV, "TXT": dnsmessage.TypeTXT,
	}
}

func parseBody(kind, rest string) (dnsmessage.ResourceBody, error) {
	switch kind {
	case "A", "AAAA":
		return parseAddress(kind, rest)
	case "TXT":
		return &dnsmessage.TXTResource{TXT: splitText(rest)}, nil
	case "CNAME", "PTR", "MX", "SRV":
	default:
		return nil, fmt.Errorf("type %q is not known", kind)
	}
	fields := strings.Fields(rest)
	want := map[string]int{"CNAME": 1, "PTR": 1, "MX": 2, "SRV": 4}[kind]
	if len(fields) != want {
		return nil, fmt.Errorf("%d fields instead of %d", len(fields), want)
	}
	target, err := dnsmessage.NewName(canonicalName(fields[want-1]))
	if err != nil {
		return nil, err
	}
	numbers := make([]uint16, want-1)
	for i := range numbers {
		n, err := strconv.ParseUint(fields[i], 10, 16)
		if err != nil {
			return nil, err
		}
		numbers[i] = uint16(n)
	}
	switch kind {
	case "CNAME":
		return &dnsmessage.CNAMEResource{CNAME: target}, nil
	case "PTR":
		return &dnsmessage.PTRResource{PTR: target}, nil
	case "MX":
		return &dnsmessage.MXResource{Pref: numbers[0], MX: target}, nil
	default:
		return &dnsmessage.SRVResource{Priority: numbers[0], Weight: numbers[1], Port: numbers[2], Target: target}, nil
	}
}

func parseAddress(kind, text string) (dnsmessage.ResourceBody, error) {
	ip, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return nil, err
	case kind == "A" && ip.Is4():
		return &dnsmessage.AResource{A: ip.As4()}, nil
	case kind == "AAAA" && ip.Is6():
		return &dnsmessage.AAAAResource{AAAA: ip.As16()}, nil
	}
	return nil, fmt.Errorf("%s is not an address for %s", ip, kind)
}

// splitText splits a text into the character strings of a TXT record, of at most
// 255 octets each (RFC 1035 section 3.3). Readers join them.
func splitText(text string) []string {
	var list []string
	for len(text) > 255 {
		list, text = append(list, text[:255]), text[255:]
	}
	return append(list, text)
}

// findNode returns the node of a name: its own, or that of the nearest wildcard. It
// is nil if the name has none. exists is false for NXDOMAIN: the parent of
// another name exists (RFC 8020).
func (r records) findNode(name string) (n *node, exists bool) {
	if r.exists(name) {
		return r[name], true
	}
	for _, above, more := strings.Cut(name, "."); more; _, above, more = strings.Cut(above, ".") {
		if r.exists(above) {
			n = r["*."+above]
			return n, n != nil
		}
	}
	return nil, false
}

func (r records) exists(name string) bool {
	for known := range r {
		if known == name || strings.HasSuffix(known, "."+name) {
			return true
		}
	}
	return false
}

// maxAliases limits a chain of CNAMEs, which may be a loop.
const maxAliases = 8

// answerQuestion returns the answer to a question: its records, or its code. failure is
// a failure of the Zone, if the name, or one that it leads to, has one.
func (r records) answerQuestion(q dnsmessage.Question) (answers []dnsmessage.Resource, code dnsmessage.RCode, failure string) {
	name, owner := canonicalName(q.Name.String()), q.Name
	for range maxAliases {
		n, exists := r.findNode(name)
		if !exists {
			return answers, dnsmessage.RCodeNameError, ""
		}
		if n == nil {
			return answers, dnsmessage.RCodeSuccess, ""
		}
		for _, of := range []dnsmessage.Type{q.Type, dnsmessage.TypeALL} {
			if word := n.failures[of]; word != "" {
				return nil, 0, word
			}
		}
		alias := ""
		for _, resource := range n.resources {
			resource.Header.Name = owner // the queried name, or below a wildcard
			c, isAlias := resource.Body.(*dnsmessage.CNAMEResource)
			if isAlias && q.Type != dnsmessage.TypeCNAME {
				alias, owner = c.CNAME.String(), c.CNAME
			} else if resource.Header.Type != q.Type {
				continue
			}
			answers = append(answers, resource)
		}
		if alias == "" {
			return answers, dnsmessage.RCodeSuccess, ""
		}
		name = canonicalName(alias)
	}
	return answers, dnsmessage.RCodeSuccess, ""
}
