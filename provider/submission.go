package provider

import (
	"slices"
	"strings"

	"github.com/yanmail/yan/smtp"
)

// HostFor returns the SMTP host for a mail domain; "" means the provider's usual host. It returns
// "" if only the user can know the host: it depends on a region (see [Provider.HostInRegion]), or
// on a domain that was not given or is not the provider's.
func (p Provider) HostFor(domain string) string {
	return p.resolve(p.SMTP.Host, domain, func(h Hosts) string { return h.SMTP })
}

// HostInRegion returns the SMTP host of a region of the service ("eu-west-1", "cn"); "" if the
// provider has no such regions or region is not a single label.
func (p Provider) HostInRegion(region string) string {
	region = strings.ToLower(region)
	if host, ok := p.HostsByRegion[region]; ok {
		return host
	}
	if !isLabel(region) {
		return ""
	}
	for _, h := range append([]string{p.SMTP.Host}, p.SMTP.AltHosts...) {
		if strings.Contains(h, "{region}") {
			return strings.ReplaceAll(h, "{region}", region)
		}
	}
	return ""
}

// Submission returns the server and port for sending from a mail domain: the preferred port if it
// is encrypted, else the first encrypted one. It never returns a port that is or may be
// unencrypted. ok is false if only the user can know the host, see [Provider.HostFor].
func (p Provider) Submission(domain string) (where Endpoint, ok bool) {
	host := p.HostFor(domain)
	port, ok := p.port()
	if host == "" || !ok {
		return Endpoint{}, false
	}
	return Endpoint{Host: host, Port: port.Port, TLS: port.TLS, Status: port.Status}, true
}

// SubmissionInRegion is [Provider.Submission] for a region of the service.
func (p Provider) SubmissionInRegion(region string) (where Endpoint, ok bool) {
	host := p.HostInRegion(region)
	port, ok := p.port()
	if host == "" || !ok {
		return Endpoint{}, false
	}
	return Endpoint{Host: host, Port: port.Port, TLS: port.TLS, Status: port.Status}, true
}

func (p Provider) port() (Port, bool) {
	for _, port := range p.SMTP.Ports {
		if port.Port == p.SMTP.Prefer && port.TLS.Encrypted() {
			return port, true
		}
	}
	for _, port := range p.SMTP.Ports {
		if port.TLS.Encrypted() {
			return port, true
		}
	}
	return Port{}, false
}

// TLSFor returns the facts about a port of the provider's SMTP host.
func (p Provider) TLSFor(port int) (Port, bool) {
	for _, known := range p.SMTP.Ports {
		if known.Port == port {
			return known, true
		}
	}
	return Port{}, false
}

// IMAPFor returns the IMAP server of a domain; ok is false if it is not known or not offered.
func (p Provider) IMAPFor(domain string) (where Endpoint, ok bool) {
	where = p.IMAP
	where.Host = p.resolve(where.Host, domain, func(h Hosts) string { return h.IMAP })
	return where, where.Host != ""
}

// POP3For is [Provider.IMAPFor] for POP3.
func (p Provider) POP3For(domain string) (where Endpoint, ok bool) {
	where = p.POP3
	where.Host = p.resolve(where.Host, domain, func(h Hosts) string { return h.POP3 })
	return where, where.Host != ""
}

// resolve inserts the domain into a host name. It only inserts the provider's own domains: anyone
// may register another one, and would get the password.
func (p Provider) resolve(host, domain string, override func(Hosts) string) string {
	domain, _ = asciiName(domain)
	if h := override(p.HostsByDomain[domain]); h != "" {
		return h
	}
	if strings.Contains(host, "{domain}") {
		if !slices.Contains(p.Domains, domain) {
			return ""
		}
		return strings.ReplaceAll(host, "{domain}", domain)
	}
	if strings.Contains(host, "{") {
		return ""
	}
	return host
}

// LoginFor returns the user name that logs in for an address. "" means that only the user knows it:
// the provider assigns it.
func (p Provider) LoginFor(address smtp.Address) string {
	if address.IsZero() && !strings.HasPrefix(p.Auth.Username, "fixed:") {
		return ""
	}
	switch word, fixed := strings.CutPrefix(p.Auth.Username, "fixed:"); {
	case fixed:
		return word
	case p.Auth.Username == "full":
		return address.String()
	case p.Auth.Username == "localpart":
		return address.Local()
	default:
		return ""
	}
}

// Head returns the ID under which the provider's replies are listed: its family, or its own ID.
func (p Provider) Head() string {
	if p.Family != "" {
		return p.Family
	}
	return p.ID
}
