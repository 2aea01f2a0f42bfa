package faultproxy

import (
	"slices"

	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/smtpclient"
)

// serverMode is a set of server extensions and client settings for sending.
type serverMode struct {
	name    string
	without []string
	// pipeline sends the next message's commands together with the dot of the one before.
	pipeline smtpclient.PipelineMessages
}

func modes() []serverMode {
	return []serverMode{
		{name: "lock-step", without: []string{"PIPELINING", "CHUNKING"}},
		{name: "pipelining", without: []string{"CHUNKING"}},
		{name: "pipelining, messages too", without: []string{"CHUNKING"}, pipeline: smtpclient.AllServers},
		{name: "chunking"},
	}
}

// scenario is a run of messages; some scenarios do not suit every server.
type scenario struct {
	name     string
	server   sandbox.Config
	messages []courseMessage
	// loose is smtpCourse.loose.
	loose bool
	// data is for servers without CHUNKING only.
	data bool
}

// fits reports whether a scenario makes sense in a mode.
func (s scenario) fits(m serverMode) bool {
	if m.pipeline == smtpclient.AllServers && slices.Contains(s.server.Quirks, sandbox.KeepsAfterDot) {
		return false // only lock-step can save the message there
	}
	return !s.data || slices.Contains(m.without, "CHUNKING")
}

// between puts messages between ordinary ones, so that an effect on the neighbours is noticed.
func between(drafts ...courseMessage) []courseMessage {
	plain := courseMessage{to: []string{""}}
	return append(append([]courseMessage{plain}, drafts...), plain)
}

// sparesOthers reports whether the server's refusals depend on the message alone.
func (s scenario) sparesOthers() bool {
	return !s.loose && s.server.MessagesPerConnection.Max == 0
}

// scenarios lists runs in which each message may affect only itself.
func scenarios() []scenario {
	all := []scenario{
		{name: "all well", messages: between(courseMessage{to: []string{""}}, courseMessage{to: []string{""}})},
		{name: "several recipients", messages: between(courseMessage{to: []string{"", "", ""}}, courseMessage{to: []string{"", ""}, policy: smtpclient.All})},
		{name: "sender refused", messages: between(courseMessage{from: "mail-550", to: []string{"", ""}}, courseMessage{from: "mail-451", to: []string{""}})},
		{name: "some recipients refused", messages: between(courseMessage{to: []string{"rcpt-550", "", "rcpt-450"}})},
		{name: "all recipients refused", messages: between(courseMessage{to: []string{"rcpt-550", "rcpt-450"}}, courseMessage{to: []string{"rcpt-554"}})},
		{name: "policy all", messages: between(courseMessage{to: []string{"", "rcpt-550", ""}, policy: smtpclient.All}, courseMessage{to: []string{"", ""}, policy: smtpclient.All})},
		{name: "DATA refused", messages: between(courseMessage{to: []string{"data-554", ""}}, courseMessage{to: []string{"data-451"}})},
		{name: "body refused", messages: between(courseMessage{to: []string{"body-550", ""}}, courseMessage{to: []string{"body-452"}})},
		{name: "354 with no recipient left", data: true, messages: between(courseMessage{from: "data-354", to: []string{"rcpt-550", "rcpt-550"}})},
		{name: "354 with one recipient left", data: true, messages: between(courseMessage{from: "data-354", to: []string{"rcpt-550", ""}})},
		{name: "421 at MAIL", messages: between(courseMessage{from: "mail-421", to: []string{""}})},
		{name: "421 at RCPT", messages: between(courseMessage{to: []string{"", "rcpt-421", ""}})},
		{name: "421 at DATA", messages: between(courseMessage{to: []string{"data-421", ""}})},
		{name: "421 in the message", messages: between(courseMessage{to: []string{"data-421-300"}, octets: 2000})},
		{name: "421 behind the message", messages: between(courseMessage{to: []string{"body-421"}})},
		{name: "large message", messages: between(courseMessage{to: []string{"", "rcpt-550"}, octets: 1<<20 + 1000})},
		{name: "content fails", messages: between(courseMessage{to: []string{""}, octets: 3000, failAt: 1500})},
		{name: "large content fails", messages: between(courseMessage{to: []string{""}, octets: 200_000, failAt: 150_000})},
		{name: "too many messages in a connection", messages: between(courseMessage{to: []string{""}}, courseMessage{to: []string{""}}),
			server: sandbox.Config{MessagesPerConnection: sandbox.Bound{Max: 2}}},
		{name: "too many messages in a connection, 452", messages: between(courseMessage{to: []string{""}}, courseMessage{to: []string{""}}),
			server: sandbox.Config{MessagesPerConnection: sandbox.Bound{Max: 2, Reply: "452 4.3.2 too many messages in this connection"}}},
	}
	for _, q := range sandbox.Quirks() {
		all = append(all, scenario{name: "quirk " + string(q), server: sandbox.Config{Quirks: []sandbox.Quirk{q}}, loose: q != sandbox.KeepsTransaction,
			messages: between(courseMessage{to: []string{"body-550", ""}}, courseMessage{to: []string{"rcpt-550", "rcpt-550"}}, courseMessage{to: []string{"", "rcpt-550"}})})
	}
	return all
}

// in returns the scenario as a course in a mode.
func (s scenario) in(m serverMode) smtpCourse {
	c := smtpCourse{server: s.server, messages: s.messages, loose: s.loose}
	c.server.Without = slices.Clone(m.without)
	c.client.PipelineMessages = m.pipeline
	return c
}
