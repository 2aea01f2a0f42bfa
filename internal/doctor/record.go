package doctor

import (
	"context"
	"errors"
	"net/netip"
	"strings"
)

// term is one mechanism or modifier of an SPF record (RFC 7208 section 4.6.1).
type term struct {
	name      string // lower case: "include", "ip4", "redirect"
	value     string // the part after : or =; "" if there is none
	qualifier byte   // of a mechanism: + - ~ ?
	modifier  bool
}

// maxRecord limits the size of a record that is parsed, in octets; TXT records
// are shorter than a DNS message.
const maxRecord = 64 << 10

// parseSPF reads a record. The error names the wrong term.
func parseSPF(record string) ([]term, error) {
	if len(record) > maxRecord {
		return nil, textErrorf("longer than %d octets", "超过 %d 字节", maxRecord)
	}
	version, rest, _ := strings.Cut(record, " ")
	if !strings.EqualFold(version, "v=spf1") {
		return nil, textErrorf("it does not begin with v=spf1", "不是以 v=spf1 开头")
	}
	var terms []term
	redirects := 0
	for _, field := range strings.Fields(rest) {
		t, err := parseTerm(field)
		if err != nil {
			return nil, err
		}
		if t.modifier && t.name == "redirect" {
			if redirects++; redirects > 1 {
				return nil, textErrorf("%q: redirect occurs twice", "%q：redirect 出现了两次", cleanText(field))
			}
		}
		terms = append(terms, t)
	}
	return terms, nil
}

func parseTerm(field string) (term, error) {
	wrong := func(en, zh string) (term, error) {
		return term{}, textErrorf("%.100q: %s", "%.100q：%s", cleanText(field), Text{EN: en, ZH: zh})
	}
	for _, r := range field {
		if r <= ' ' || r > '~' {
			return wrong("only visible ASCII is allowed", "只能用可见的 ASCII 字符")
		}
	}
	t := term{qualifier: '+'}
	rest := field
	if strings.IndexByte("+-~?", rest[0]) >= 0 {
		t.qualifier, rest = rest[0], rest[1:]
	}
	end := strings.IndexAny(rest, ":/=")
	if end < 0 {
		end = len(rest)
	}
	t.name = strings.ToLower(rest[:end])
	if end < len(rest) && rest[end] == '=' {
		t.modifier, t.value = true, rest[end+1:]
		if len(rest) != len(field) || t.name == "" {
			return wrong("not known in SPF", "不是 SPF 的写法")
		}
		if t.name == "redirect" && t.value == "" {
			return wrong("names no domain", "没有写明域名")
		}
		return t, nil
	}
	t.value = strings.TrimPrefix(rest[end:], ":")
	return t.check(wrong)
}

// check validates a mechanism's argument.
func (t term) check(wrong func(en, zh string) (term, error)) (term, error) {
	switch t.name {
	case "all":
		if t.value != "" {
			return wrong("nothing may follow all", "all 之后不能有内容")
		}
	case "include", "exists":
		if t.value == "" || strings.HasPrefix(t.value, "/") {
			return wrong("names no domain", "没有写明域名")
		}
	case "a", "mx":
	case "ptr":
	case "ip4", "ip6":
		p, err := parsePrefix(t.value)
		if err != nil || p.Addr().Is4() != (t.name == "ip4") {
			like := map[string]string{"ip4": "192.0.2.0/24", "ip6": "2001:db8::/32"}[t.name]
			return wrong("not an address like "+like, "不是形如 "+like+" 的地址")
		}
	default:
		return wrong("not known in SPF", "不是 SPF 的写法")
	}
	return t, nil
}

// parsePrefix reads an address with an optional prefix length.
func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		return netip.ParsePrefix(s)
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Prefix(a.BitLen())
}

// queriesDNS reports whether evaluating a term queries the DNS, which a record may
// do ten times (RFC 7208 section 4.6.4).
func (t term) queriesDNS() bool {
	switch t.name {
	case "include", "a", "mx", "ptr", "exists":
		return !t.modifier
	case "redirect":
		return t.modifier
	}
	return false
}

// target returns the domain of an include or redirect; "" if it depends on the
// message (macros, RFC 7208 section 7).
func (t term) target() string {
	follows := !t.modifier && t.name == "include" || t.modifier && t.name == "redirect"
	if !follows || strings.Contains(t.value, "%") {
		return ""
	}
	return t.value
}

// reachableTerms returns the terms that an evaluation can reach: none after all, and
// no redirect with it (RFC 7208 section 6.1).
func reachableTerms(terms []term) []term {
	for i, t := range terms {
		if !t.modifier && t.name == "all" {
			var list []term
			for _, t := range terms[:i+1] {
				if !t.modifier {
					list = append(list, t)
				}
			}
			return list
		}
	}
	return terms
}

// The limits of RFC 7208 section 4.6.4, and of a walk through foreign records.
const (
	maxLookups = 10
	maxWalk    = 40
)

// walk evaluates a record and the records it includes.
type walk struct {
	dns *asker
	// lookups counts the lookups that an evaluation needs at most.
	lookups int
	asked   int
	// sample is an address that the record allows; invalid if none was found.
	sample netip.Addr
}

// evaluateTerms evaluates a record. It returns the error that makes receivers reject
// the whole record (permerror), or that of the DNS.
func (w *walk) evaluateTerms(ctx context.Context, terms []term, path []string) error {
	for _, t := range reachableTerms(terms) {
		if !w.sample.IsValid() && t.qualifier == '+' && (t.name == "ip4" || t.name == "ip6") {
			w.sample = addressIn(t.value)
		}
		if t.queriesDNS() {
			w.lookups++
		}
		domain := t.target()
		if domain == "" {
			continue
		}
		if w.asked++; w.asked > maxWalk {
			return nil // far beyond the limit: stop counting
		}
		for _, before := range path {
			if strings.EqualFold(before, domain) {
				return &recordError{domain, textErrorf("the record includes itself", "记录包含了自身")}
			}
		}
		further, err := w.fetchRecord(ctx, domain)
		if err != nil {
			return err
		}
		if err := w.evaluateTerms(ctx, further, append(path[:len(path):len(path)], domain)); err != nil {
			return err
		}
	}
	return nil
}

// recordError reports that the record of a domain is wrong or missing.
type recordError struct {
	domain string
	err    error
}

func (e *recordError) Error() string { return e.domain + ": " + e.err.Error() }
func (e *recordError) Unwrap() error { return e.err }

func (e *recordError) text() Text {
	var t textError
	if errors.As(e.err, &t) {
		return say("%s: %s", "%s：%s", e.domain, t.Text)
	}
	return Text{EN: e.Error(), ZH: e.Error()}
}

var (
	errNoRecord   = textError{Text{EN: "there is no SPF record", ZH: "没有 SPF 记录"}}
	errTwoRecords = textError{Text{EN: "there are several SPF records", ZH: "有多条 SPF 记录"}}
)

// fetchRecord fetches and reads the SPF record of a domain that another record
// names.
func (w *walk) fetchRecord(ctx context.Context, domain string) ([]term, error) {
	text, err := findSPF(ctx, w.dns, domain)
	if err != nil {
		return nil, err
	}
	terms, err := parseSPF(text)
	if err != nil {
		return nil, &recordError{domain, err}
	}
	return terms, nil
}

// findSPF returns the SPF record of a domain (RFC 7208 section 4.5). The error
// is a *recordError, or that of the DNS.
func findSPF(ctx context.Context, dns *asker, domain string) (string, error) {
	texts, err := dns.LookupTXT(ctx, domain)
	if err != nil && !isNotFound(err) {
		return "", err
	}
	var found []string
	for _, text := range texts {
		if version, _, _ := strings.Cut(text, " "); strings.EqualFold(version, "v=spf1") {
			found = append(found, text)
		}
	}
	switch len(found) {
	case 0:
		return "", &recordError{domain, errNoRecord}
	case 1:
		return found[0], nil
	}
	return "", &recordError{domain, errTwoRecords}
}

// addressIn returns an address in a network other than the network address.
func addressIn(network string) netip.Addr {
	p, err := parsePrefix(network)
	if err != nil {
		return netip.Addr{}
	}
	if a := p.Masked().Addr(); a.BitLen()-p.Bits() > 1 {
		return a.Next()
	}
	return p.Addr()
}
