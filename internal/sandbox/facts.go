package sandbox

import (
	"strconv"
	"strings"

	"github.com/yanmail/yan/provider"
)

// withFacts takes from the provider facts what they hold: host, domain, SIZE,
// mechanisms, limits, sender rule and habits. So the sandbox, the presets and
// the documentation can't drift apart. The profile adds what only a server
// needs: its words, and where it looks.
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
	// One report is not enough for a habit that breaks a client.
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
