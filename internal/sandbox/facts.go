package sandbox

import (
	"strconv"
	"strings"

	"github.com/yanmail/yan/provider"
)

// withFacts takes host, domain, SIZE, mechanisms, limits, sender rule and
// quirks from the provider facts, so that the sandbox, the presets and the
// documentation can't diverge. The profile adds only the replies and the checks of a server.
func (p profile) withFacts(facts provider.Provider) profile {
	p.hosts = []string{facts.SMTP.Host}
	p.domain = facts.Domains[0]
	if p.tenant != "" {
		p.domain = p.tenant + "." + p.domain
	}
	p.size = facts.Limits.MessageBytes.Value
	if n := facts.Limits.Recipients.Value; n > 0 {
		p.maxRecipients = int(n)
	}
	switch facts.SenderRule {
	case provider.MustEqualLogin, provider.MustEqualLoginOrSendAs:
	default:
		p.sender = AnySender
	}
	if !facts.Has(provider.ChecksFromHeader) && !facts.Has(provider.ComparesFromHeader) {
		p.checkMessage = nil
	}
	p.hangsUp = facts.Has(provider.HangsUpAfterFailedAuth)
	// A single report is not enough for a behaviour that breaks a client.
	p.frames = facts.Traits[provider.FrameAfterQuit] == provider.Verified
	if facts.Has(provider.LowerCasePrompts) {
		p.words.userPrompt = strings.ToLower(p.words.userPrompt)
	}
	fill := strings.NewReplacer("{size}", strconv.FormatInt(p.size, 10), "{mechanisms}", strings.Join(facts.Auth.Mechanisms, " "))
	p.before, p.after = fillLines(p.before, fill), fillLines(p.after, fill)
	return p
}

func fillLines(lines []string, fill *strings.Replacer) []string {
	filled := make([]string, len(lines))
	for i, line := range lines {
		filled[i] = fill.Replace(line)
	}
	return filled
}
