package provider

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

//go:embed providers.json
var providersJSON []byte

// Document is the form of providers.json.
type Document struct {
	Providers []Provider `json:"providers"`
	MXRules   []MXRule   `json:"mx_rules"`
}

// index is the facts as parsed, with the ways in. It is never written after
// it is made.
type index struct {
	Document
	byID     map[string]int
	byName   map[string]int // normalised names, aliases and ids
	byDomain map[string]int // exact domains
	byHost   map[string]int // exact hosts
	patterns []pattern
	// spelled is how each normalised name is written.
	spelled map[string]string
}

// pattern is a domain or host with one "{…}" in it.
type pattern struct {
	before, kind, after string
	host                bool
	provider            int
}

// facts parses the embedded file at its first use. The file was made and
// checked by the generator and a test holds it to providers.yaml, so a fault
// in it is a fault in the build.
var facts = sync.OnceValue(load)

func load() *index {
	var doc Document
	if err := json.Unmarshal(providersJSON, &doc); err != nil {
		panic(fmt.Sprintf("provider: embedded providers.json: %v", err))
	}
	return newIndex(doc)
}

func newIndex(doc Document) *index {
	ix := &index{Document: doc, byID: map[string]int{}, byName: map[string]int{},
		byDomain: map[string]int{}, byHost: map[string]int{}, spelled: map[string]string{}}
	for i, p := range doc.Providers {
		ix.byID[p.ID] = i
		for _, name := range p.allNames() {
			// The first provider that claims a name keeps it; a test shows
			// that no two do.
			key := normalise(name)
			if _, taken := ix.byName[key]; !taken {
				ix.byName[key] = i
				ix.spelled[key] = name
			}
		}
		for _, d := range p.Domains {
			ix.add(ix.byDomain, d, false, i)
		}
		for _, h := range p.allHosts() {
			ix.add(ix.byHost, h, true, i)
		}
	}
	return ix
}

func (ix *index) add(exact map[string]int, name string, host bool, provider int) {
	open, end := strings.IndexByte(name, '{'), strings.IndexByte(name, '}')
	if open >= 0 && end > open {
		ix.patterns = append(ix.patterns, pattern{name[:open], name[open+1 : end], name[end+1:], host, provider})
		return
	}
	if _, taken := exact[name]; !taken {
		exact[name] = provider
	}
}

// allNames lists everything a user may type for the provider, the ID first.
func (p Provider) allNames() []string {
	names := append([]string{p.ID}, p.Aliases...)
	return append(names, p.Names.EN, p.Names.ZH)
}

// allHosts lists the SMTP hosts and patterns of hosts. "{domain}" is left
// out: such hosts stand in HostsByDomain too.
func (p Provider) allHosts() []string {
	var hosts []string
	for _, h := range append([]string{p.SMTP.Host}, p.SMTP.AltHosts...) {
		if !strings.Contains(h, "{domain}") && !isLoopback(h) {
			hosts = append(hosts, h)
		}
	}
	for _, h := range p.HostsByDomain {
		hosts = append(hosts, h.SMTP)
	}
	for _, h := range p.HostsByRegion {
		hosts = append(hosts, h)
	}
	if p.Relay != nil {
		hosts = append(hosts, p.Relay.Host)
	}
	return hosts
}
