package smtp

import (
	"sort"
	"strconv"
	"strings"
)

// Capabilities are the extensions that a server offers in its reply to EHLO (RFC 5321 section
// 4.1.1.1). The zero value is that of a server with HELO only.
type Capabilities struct {
	params map[string]string // keyword in upper case -> its parameters
	auth   []string
}

// ParseCapabilities parses the reply to EHLO or LHLO. Its first line is the server's name and not
// a keyword. Other lines ("coremail …", a final "Ok") are harmless keywords.
func ParseCapabilities(r Reply) Capabilities {
	c := Capabilities{params: map[string]string{}}
	var oldStyle []string
	for i, line := range r.Lines {
		if i == 0 {
			continue
		}
		keyword, params, _ := strings.Cut(strings.TrimSpace(line), " ")
		keyword = strings.ToUpper(keyword)
		// QUIRK: QQ, NetEase, Aliyun and SendGrid list "AUTH=LOGIN" for old clients beside the
		// real line.
		if rest, ok := strings.CutPrefix(keyword, "AUTH="); ok {
			oldStyle = append(oldStyle, strings.Fields(rest+" "+params)...)
			continue
		}
		if keyword == "AUTH" {
			c.auth = append(c.auth, strings.Fields(params)...)
		}
		if keyword != "" {
			c.params[keyword] = strings.TrimSpace(params)
		}
	}
	if len(c.auth) == 0 {
		c.auth = oldStyle
	}
	for i, m := range c.auth {
		c.auth[i] = strings.ToUpper(m)
	}
	return c
}

// Has reports whether the keyword was offered.
func (c Capabilities) Has(keyword string) bool {
	_, ok := c.params[strings.ToUpper(keyword)]
	return ok
}

// Params returns the parameters of the keyword; "" if there are none.
func (c Capabilities) Params(keyword string) string { return c.params[strings.ToUpper(keyword)] }

// Auth lists the offered mechanisms, upper case, in the server's order.
func (c Capabilities) Auth() []string { return append([]string(nil), c.auth...) }

// Size returns the limit of RFC 1870 in octets; 0 if there is none.
func (c Capabilities) Size() int64 {
	size := c.params["SIZE"]
	if size == "" {
		return 0
	}
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// Limits are the limits of RFC 9422; 0 if the server names none.
type Limits struct {
	Transactions      int // MAILMAX: transactions on one connection
	Recipients        int // RCPTMAX: recipients of one transaction
	RecipientsDomains int // RCPTDOMAINMAX: different domains among them
}

// Limits parses the LIMITS keyword (RFC 9422 section 4). It ignores malformed parameters.
func (c Capabilities) Limits() Limits {
	var l Limits
	into := map[string]*int{"MAILMAX": &l.Transactions, "RCPTMAX": &l.Recipients, "RCPTDOMAINMAX": &l.RecipientsDomains}
	for _, field := range strings.Fields(c.params["LIMITS"]) {
		name, value, _ := strings.Cut(field, "=")
		limit, known := into[strings.ToUpper(name)]
		// Up to six digits, and not zero (RFC 9422 section 4.1).
		n, err := strconv.Atoi(value)
		if known && err == nil && n > 0 && len(value) <= 6 && value[0] != '+' {
			*limit = n
		}
	}
	return l
}

// Keywords lists the offered keywords, sorted.
func (c Capabilities) Keywords() []string {
	words := make([]string, 0, len(c.params))
	for k := range c.params {
		words = append(words, k)
	}
	sort.Strings(words)
	return words
}
