package torture

import (
	"slices"

	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/smtpclient"
)

// mode is how a server lets messages travel.
type mode struct {
	name    string
	without []string
	// pipeline: the next message's commands leave with the dot of the one before.
	pipeline smtpclient.PipelineMessages
}

func modes() []mode {
	return []mode{
		{name: "lock-step", without: []string{"PIPELINING", "CHUNKING"}},
		{name: "pipelining", without: []string{"CHUNKING"}},
		{name: "pipelining, messages too", without: []string{"CHUNKING"}, pipeline: smtpclient.AllServers},
		{name: "chunking"},
	}
}

// scenario is a run of messages some of which are not for every server.
type scenario struct {
	name     string
	server   sandbox.Config
	messages []draft
	// loose is course.loose.
	loose bool
	// data is for servers without CHUNKING only.
	data bool
}

// fits reports whether a scenario makes sense in a mode.
func (s scenario) fits(m mode) bool {
	if m.pipeline == smtpclient.AllServers && slices.Contains(s.server.Quirks, sandbox.KeepsAfterDot) {
		return false // nothing can save the message there, but not to be sent so
	}
	return !s.data || slices.Contains(m.without, "CHUNKING")
}

// between puts messages between ordinary ones, so that what happens to one can
// be seen not to touch its neighbours.
func between(drafts ...draft) []draft {
	plain := draft{to: []string{""}}
	return append(append([]draft{plain}, drafts...), plain)
}

// sparesOthers reports whether the server refuses for what is in a message
// only.
func (s scenario) sparesOthers() bool {
	return !s.loose && s.server.MessagesPerConnection.Max == 0
}

// scenarios are those of a run in which each message is to affect itself only.
func scenarios() []scenario {
	all := []scenario{
		{name: "all well", messages: between(draft{to: []string{""}}, draft{to: []string{""}})},
		{name: "several recipients", messages: between(draft{to: []string{"", "", ""}}, draft{to: []string{"", ""}, policy: smtpclient.All})},
		{name: "sender refused", messages: between(draft{from: "mail-550", to: []string{"", ""}}, draft{from: "mail-451", to: []string{""}})},
		{name: "some recipients refused", messages: between(draft{to: []string{"rcpt-550", "", "rcpt-450"}})},
		{name: "all recipients refused", messages: between(draft{to: []string{"rcpt-550", "rcpt-450"}}, draft{to: []string{"rcpt-554"}})},
		{name: "policy all", messages: between(draft{to: []string{"", "rcpt-550", ""}, policy: smtpclient.All}, draft{to: []string{"", ""}, policy: smtpclient.All})},
		{name: "DATA refused", messages: between(draft{to: []string{"data-554", ""}}, draft{to: []string{"data-451"}})},
		{name: "body refused", messages: between(draft{to: []string{"body-550", ""}}, draft{to: []string{"body-452"}})},
		{name: "354 with no recipient left", data: true, messages: between(draft{from: "data-354", to: []string{"rcpt-550", "rcpt-550"}})},
		{name: "354 with one recipient left", data: true, messages: between(draft{from: "data-354", to: []string{"rcpt-550", ""}})},
		{name: "421 at MAIL", messages: between(draft{from: "mail-421", to: []string{""}})},
		{name: "421 at RCPT", messages: between(draft{to: []string{"", "rcpt-421", ""}})},
		{name: "421 at DATA", messages: between(draft{to: []string{"data-421", ""}})},
		{name: "421 in the message", messages: between(draft{to: []string{"data-421-300"}, octets: 2000})},
		{name: "421 behind the message", messages: between(draft{to: []string{"body-421"}})},
		{name: "large message", messages: between(draft{to: []string{"", "rcpt-550"}, octets: 1<<20 + 1000})},
		{name: "content fails", messages: between(draft{to: []string{""}, octets: 3000, failAt: 1500})},
		{name: "large content fails", messages: between(draft{to: []string{""}, octets: 200_000, failAt: 150_000})},
		{name: "too many messages in a connection", messages: between(draft{to: []string{""}}, draft{to: []string{""}}),
			server: sandbox.Config{MessagesPerConnection: sandbox.Bound{Max: 2}}},
		{name: "too many messages in a connection, 452", messages: between(draft{to: []string{""}}, draft{to: []string{""}}),
			server: sandbox.Config{MessagesPerConnection: sandbox.Bound{Max: 2, Reply: "452 4.3.2 too many messages in this connection"}}},
	}
	for _, q := range sandbox.Quirks() {
		all = append(all, scenario{name: "quirk " + string(q), server: sandbox.Config{Quirks: []sandbox.Quirk{q}}, loose: q != sandbox.KeepsTransaction,
			messages: between(draft{to: []string{"body-550", ""}}, draft{to: []string{"rcpt-550", "rcpt-550"}}, draft{to: []string{"", "rcpt-550"}})})
	}
	return all
}

// in puts the scenario into a mode.
func (s scenario) in(m mode) course {
	c := course{server: s.server, messages: s.messages, loose: s.loose}
	c.server.Without = slices.Clone(m.without)
	c.client.PipelineMessages = m.pipeline
	return c
}
