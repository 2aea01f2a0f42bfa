package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/yanmail/yan/provider"
)

// byMX recognises a provider by the exchangers of a domain that it hosts. The
// host comes from the provider's facts, but only DNS links the provider to the
// domain: an attacker who forges it can direct the password to another known
// provider, not to their own server.
func (s *search) byMX(ctx context.Context) (Candidate, bool) {
	start := time.Now()
	records, err := lookupDNS(ctx, s, func(ctx context.Context, r *net.Resolver) ([]*net.MX, error) {
		return r.LookupMX(ctx, s.domain+".")
	})
	var p provider.Provider
	var exchanger string
	if err == nil {
		p, exchanger, err = hostingProvider(records)
	}
	s.reportAttempt(ctx, ByMX, "MX "+s.domain, start, err)
	if err != nil {
		return Candidate{}, false
	}
	id, where, ok := submissionAt(p, s.domain, exchanger)
	if !ok {
		return Candidate{}, false
	}
	var servers []submissionServer
	for _, port := range append([]provider.Port{{Port: where.Port, TLS: where.TLS}}, p.SMTP.Ports...) {
		one := submissionServer{endpoint: endpoint{where.Host, port.Port, port.TLS}}
		// Port 25 is for mail between servers, and blocked in most networks.
		if port.TLS.Encrypted() && port.Port != 25 && !slices.Contains(servers, one) {
			servers = append(servers, one)
		}
	}
	reached, ok := s.firstReachable(ctx, ByMX, servers)
	if !ok {
		return Candidate{}, false
	}
	c := s.newCandidate(ByMX, reached, Confirm)
	c = ofProvider(p, provider.Endpoint{Host: reached.host, Port: reached.port, TLS: reached.tls}, s.address, c)
	if reached == servers[0] {
		c.Server = id
	}
	if id != p.ID {
		c.IMAP = "" // the IMAP server belongs to another region
	}
	return c, true
}

// hostingProvider returns the provider of the most preferred exchangers; the others may
// belong to a backup service.
func hostingProvider(records []*net.MX) (p provider.Provider, exchanger string, err error) {
	if len(records) == 0 || records[0].Host == "." { // RFC 7505
		return provider.Provider{}, "", errors.New("the domain takes no mail")
	}
	for _, mx := range records { // sorted by preference by LookupMX
		if mx.Pref != records[0].Pref {
			break
		}
		if p, ok := provider.ByMX(mx.Host); ok {
			return p, mx.Host, nil
		}
	}
	return provider.Provider{}, "", fmt.Errorf("%s belongs to no known provider", records[0].Host)
}

// submissionAt returns the server where a provider accepts the mail of a domain
// that it hosts. A provider with regions names its exchanger after the region.
func submissionAt(p provider.Provider, domain, exchanger string) (id string, where provider.Endpoint, ok bool) {
	name, err := hostName(exchanger)
	beside := func(host string) bool { return err == nil && insideDomain(host, name) }
	where, ok = p.Submission(domain)
	if ok && beside(where.Host) {
		return p.ID, where, true
	}
	for _, region := range slices.Sorted(maps.Keys(p.HostsByRegion)) {
		if there, has := p.SubmissionInRegion(region); has && beside(there.Host) {
			return p.ID + "/" + region, there, true
		}
	}
	return p.ID, where, ok
}

// bySRV queries the services of RFC 6186 and RFC 8314.
func (s *search) bySRV(ctx context.Context) (Candidate, bool) {
	var submissions, submission, imaps, imap service
	var work sync.WaitGroup
	work.Go(func() { submissions = s.lookupService(ctx, "_submissions._tcp", provider.Implicit) })
	work.Go(func() { submission = s.lookupService(ctx, "_submission._tcp", provider.StartTLS) })
	work.Go(func() { imaps = s.lookupService(ctx, "_imaps._tcp", provider.Implicit) })
	work.Go(func() { imap = s.lookupService(ctx, "_imap._tcp", provider.StartTLS) })
	work.Wait()
	s.denied.Store(deniesSubmission(submissions, submission))
	var servers []submissionServer
	for _, e := range mergeTargets(submissions, submission) {
		servers = append(servers, submissionServer{endpoint: e})
	}
	reached, ok := s.firstReachable(ctx, BySRV, servers)
	if !ok {
		return Candidate{}, false
	}
	c := s.newCandidate(BySRV, reached, s.certificateTrust(reached.host))
	for _, e := range mergeTargets(imaps, imap) {
		// The user confirms only this host, not another one that would get the
		// password too.
		if insideDomain(e.host, s.domain) || c.Trust == Confirm && insideDomain(e.host, reached.host) {
			c.IMAP = e.url("imap", 0)
			break
		}
	}
	return c, true
}

// service is the result of one service's SRV records.
type service struct {
	targets []srvTarget
	// none: the domain does not offer the service, its only target is the root
	// (RFC 2782). missing: there is no record.
	none, missing bool
}

type srvTarget struct {
	endpoint
	priority, weight uint16
}

func (s *search) lookupService(ctx context.Context, name string, mode provider.TLSMode) (found service) {
	start := time.Now()
	what := name + "." + s.domain
	records, err := lookupDNS(ctx, s, func(ctx context.Context, r *net.Resolver) ([]*net.SRV, error) {
		_, records, err := r.LookupSRV(ctx, "", "", what+".")
		return records, err
	})
	var dns *net.DNSError
	found.missing = errors.As(err, &dns) && dns.IsNotFound
	if err == nil && len(records) == 1 && records[0].Target == "." {
		found.none, err = true, errors.New("the domain says that it does not offer this")
	}
	for _, r := range records {
		host, nameErr := hostName(r.Target)
		switch {
		case found.none:
		case nameErr != nil || r.Port == 0:
			err = fmt.Errorf("%q, port %d: not a server", r.Target, r.Port)
		default:
			found.targets = append(found.targets, srvTarget{serviceEndpoint(host, int(r.Port), mode), r.Priority, r.Weight})
		}
	}
	if len(found.targets) > 0 {
		err = nil
	}
	s.reportAttempt(ctx, BySRV, "SRV "+what, start, err)
	return found
}

// serviceEndpoint returns a target of a service.
//
// QUIRK: some domains list port 465 as _submission, which is for STARTTLS; no
// server speaks STARTTLS on it (RFC 8314 section 7.3).
func serviceEndpoint(host string, port int, mode provider.TLSMode) endpoint {
	if port == 465 {
		mode = provider.Implicit
	}
	return endpoint{host, port, mode}
}

// deniesSubmission reports whether the domain offers no submission at all.
func deniesSubmission(services ...service) bool {
	none := false
	for _, s := range services {
		if !s.none && !s.missing {
			return false
		}
		none = none || s.none
	}
	return none
}

// mergeTargets sorts the targets in the order to try: by priority, then TLS from the
// first byte first (RFC 8314 section 3), then by weight. RFC 2782 chooses
// randomly by weight to balance connections; this result is stored for years,
// and must be the same in each search.
func mergeTargets(services ...service) []endpoint {
	var targets []srvTarget
	for _, s := range services {
		targets = append(targets, s.targets...)
	}
	slices.SortFunc(targets, func(a, b srvTarget) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.tls, b.tls), // "implicit" first
			cmp.Compare(b.weight, a.weight), cmp.Compare(a.host, b.host), cmp.Compare(a.port, b.port))
	})
	var endpoints []endpoint
	for _, t := range targets {
		if !slices.Contains(endpoints, t.endpoint) && len(endpoints) < maxServers {
			endpoints = append(endpoints, t.endpoint)
		}
	}
	return endpoints
}

// byGuess tries the usual names of submission servers.
func (s *search) byGuess(ctx context.Context) (Candidate, bool) {
	var servers []submissionServer
	for _, host := range []string{"smtp." + s.domain, "mail." + s.domain, s.domain} {
		servers = append(servers,
			submissionServer{endpoint: endpoint{host, 465, provider.Implicit}},
			submissionServer{endpoint: endpoint{host, 587, provider.StartTLS}})
	}
	reached, ok := s.firstReachable(ctx, ByGuess, servers)
	if !ok {
		return Candidate{}, false
	}
	return s.newCandidate(ByGuess, reached, s.certificateTrust(reached.host)), true
}
