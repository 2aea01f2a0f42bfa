package account

import (
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/smtpclient"
)

// PipelineMessages says at which servers without CHUNKING the commands of the next
// message leave together with the end of the one before, which spares a round trip
// for each message.
type PipelineMessages string

// The values of PipelineMessages.
const (
	// PipelineAuto does at servers that are known to do it right. It is the default.
	PipelineAuto   PipelineMessages = "auto"
	PipelineAlways PipelineMessages = "always"
	PipelineNever  PipelineMessages = "never"
)

// orAuto is p, or the default.
func (p PipelineMessages) orAuto() PipelineMessages {
	if p == "" {
		return PipelineAuto
	}
	return p
}

func (p PipelineMessages) check() error {
	switch p.orAuto() {
	case PipelineAuto, PipelineAlways, PipelineNever:
		return nil
	}
	return sentence.Errorf("%q: want auto, always or never", p)
}

// Client is the setting as package smtpclient has it.
func (p PipelineMessages) Client() smtpclient.PipelineMessages {
	switch p {
	case PipelineAlways:
		return smtpclient.AllServers
	case PipelineNever:
		return smtpclient.NoServer
	}
	return smtpclient.KnownServers
}
