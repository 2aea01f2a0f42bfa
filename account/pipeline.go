package account

import (
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtpclient"
)

// PipelineMessages says at which servers without CHUNKING the commands of the next message are
// sent together with the end of the current one, which saves a round trip per message.
type PipelineMessages string

// The values of PipelineMessages.
const (
	// PipelineAuto does it at servers known to support it. It is the default.
	PipelineAuto   PipelineMessages = "auto"
	PipelineAlways PipelineMessages = "always"
	PipelineNever  PipelineMessages = "never"
)

// orAuto returns p, or PipelineAuto if p is empty.
func (p PipelineMessages) orAuto() PipelineMessages {
	if p == "" {
		return PipelineAuto
	}
	return p
}

func (p PipelineMessages) checkWord() error {
	switch p.orAuto() {
	case PipelineAuto, PipelineAlways, PipelineNever:
		return nil
	}
	return localerr.Errorf("%q: want auto, always or never", p)
}

// Client returns the setting in the form of package smtpclient.
func (p PipelineMessages) Client() smtpclient.PipelineMessages {
	switch p {
	case PipelineAlways:
		return smtpclient.AllServers
	case PipelineNever:
		return smtpclient.NoServer
	}
	return smtpclient.KnownServers
}
