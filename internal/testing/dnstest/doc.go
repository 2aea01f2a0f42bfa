// Package dnstest runs a DNS server on loopback for tests.
//
//		dns := dnstest.Start(t, dnstest.Zone{
//			"corp.example":                    {"MX 10 mx.corp.example", "TXT v=spf1 -all"},
//			"_submissions._tcp.corp.example":  {"SRV 0 1 465 smtp.corp.example"},
//			"smtp.corp.example":               {"A 127.0.0.1", "AAAA ::1"},
//			"broken.example":                  {"SERVFAIL"},
//			"slow.example":                    {"SILENCE TXT", "A 192.0.2.1"},
//		})
//		addresses, err := dns.Resolver().LookupHost(ctx, "smtp.corp.example")
//
//	  - A [Zone] maps names to their records.
//	  - [Start] runs a server that ends with the test. Query it through
//	    [Server.Resolver], or at [Server.Addr].
//	  - [Server.Queries] returns the queries so far.
//
// Use names under .example and .test (RFC 6761): names in the machine's hosts
// file are never queried. End a name with a dot in a lookup, or a resolver may
// also query it below the machine's search domains.
package dnstest
