package doctor

import (
	"regexp"
	"strings"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// judgeOffer reports the effects of the server's extensions on this program.
func (v *examSession) judgeOffer(seen *ehloProbe) {
	v.reportStep(clockStep(seen.greeting, seen.greeted))
	v.reportStep(v.speedStep(seen.caps, seen.pipelines))
	v.reportStep(featuresStep(seen.caps))
	v.reportStep(sizeStep(seen.caps))
}

// aDate matches a date in the format of RFC 5322, which Exchange, Sendmail and
// many others put into their greeting. Zone names other than GMT are ambiguous.
var aDate = regexp.MustCompile(`\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d (?:[+-]\d{4}|GMT|UTC?)\b`)

// dateIn returns the time in a greeting.
func dateIn(greeting string) (time.Time, bool) {
	found := aDate.FindString(greeting)
	if found == "" {
		return time.Time{}, false
	}
	zone := found[strings.LastIndexByte(found, ' ')+1:]
	if zone[0] != '+' && zone[0] != '-' {
		found = strings.TrimSuffix(found, zone) + "+0000"
	}
	t, err := time.Parse("2 Jan 2006 15:04:05 -0700", found)
	return t, err == nil
}

// maxSkew is the clock difference from which a Date looks wrong to readers, and
// time-based codes stop working.
const maxSkew = 5 * time.Minute

// clockStep compares the clocks. Only the server's own date counts: a TLS
// handshake contains no time (RFC 8446 section 4.1.3), and another source would
// be about another machine.
func clockStep(greeting smtp.Reply, at time.Time) Step {
	s := Step{Name: NameClock, Status: Info}
	server, ok := dateIn(greeting.Text())
	if !ok {
		s.Detail = say("unknown: the server's greeting contains no time", "未知：服务器问候语中没有时间")
		return s
	}
	skew := at.Sub(server).Round(time.Second)
	seconds := int64(skew / time.Second)
	s.Facts.SkewSeconds = &seconds
	switch {
	case skew > maxSkew:
		s.Status, s.Detail = Warning, say("this machine is %s ahead of the server", "本机时间比服务器快 %s", skew)
	case skew < -maxSkew:
		s.Status, s.Detail = Warning, say("this machine is %s behind the server", "本机时间比服务器慢 %s", -skew)
	default:
		s.Status, s.Detail = OK, say("matches the server's, within %s", "与服务器一致，误差在 %s 以内", max(skew.Abs(), time.Second))
	}
	if s.Status == Warning {
		s.Advice = say("Set this machine's clock: messages would carry a wrong date.", "请校准本机时间，否则邮件的日期会出错。")
	}
	return s
}

// speedStep counts the round trips of a message.
func (v *examSession) speedStep(caps smtp.Capabilities, pipelines bool) Step {
	s := Step{Name: NameSpeed, Status: OK, Facts: StepFacts{Overlap: 1}}
	pipelining := caps.Has("PIPELINING") && !v.Options.NoPipelining
	chunking := caps.Has("CHUNKING") && !v.Options.NoChunking
	switch {
	case pipelining && chunking:
		s.Facts.RoundTrips, s.Facts.Overlap = 1, windowSize(v.Options.Window)
		s.Detail = say("PIPELINING and CHUNKING: one round trip per message; up to %d in flight in a batch",
			"支持 PIPELINING 和 CHUNKING：一封信只需 1 次往返；批量发送时可有 %d 封同时在途", s.Facts.Overlap)
	case pipelining && pipelines:
		s.Facts.RoundTrips = 2
		s.Detail = say("PIPELINING: two round trips for a single message, one per message in a batch",
			"支持 PIPELINING：单独一封信需 2 次往返，批量发送时每封 1 次")
	case pipelining:
		s.Facts.RoundTrips = 2
		s.Detail = say("PIPELINING: two round trips per message", "支持 PIPELINING：每封信需 2 次往返")
	case chunking:
		s.Status, s.Facts.RoundTrips = Info, 3
		s.Detail = say("CHUNKING without PIPELINING: three round trips per message, plus one per additional recipient",
			"只有 CHUNKING、没有 PIPELINING：每封信需 3 次往返，每多一位收件人再加 1 次")
	default:
		s.Status, s.Facts.RoundTrips = Info, 4
		s.Detail = say("neither PIPELINING nor CHUNKING: each command waits for its reply, four round trips per message, plus one per additional recipient",
			"没有 PIPELINING 和 CHUNKING：每条命令都要等待应答，每封信需 4 次往返，每多一位收件人再加 1 次")
	}
	if v.Options.NoPipelining && caps.Has("PIPELINING") {
		s.Detail.EN += " (switched off here)"
		s.Detail.ZH += "（已在本机关闭）"
	}
	return s
}

// windowSize returns how many messages of a batch overlap.
func windowSize(w smtpclient.Window) int {
	if w.Messages > 0 {
		return w.Messages
	}
	return 32
}

// featuresStep reports the missing extensions and their effect; the step EHLO
// lists the others.
func featuresStep(caps smtp.Capabilities) Step {
	s := Step{Name: NameFeatures, Status: OK}
	var en, zh, there []string
	for _, f := range []struct{ word, en, zh string }{
		{"SMTPUTF8", "no SMTPUTF8: addresses with non-ASCII characters before the @ can't be used", "没有 SMTPUTF8：不能使用 @ 前含非 ASCII 字符的地址"},
		{"DSN", "no DSN: delivery notifications can't be requested", "没有 DSN：不能请求投递通知"},
	} {
		if caps.Has(f.word) {
			there = append(there, f.word)
			continue
		}
		s.Status = Info
		en, zh = append(en, f.en), append(zh, f.zh)
	}
	if caps.Has("8BITMIME") {
		there = append([]string{"8BITMIME"}, there...)
	} else {
		s.Status = Info
		en, zh = append(en, "no 8BITMIME: raw 8-bit messages can't be sent, composed ones can"), append(zh, "没有 8BITMIME：不能发送 8 位原始邮件，yan 撰写的邮件不受影响")
	}
	if len(there) > 0 {
		list := listText(there)
		en, zh = append([]string{list.EN}, en...), append([]string{list.ZH}, zh...)
	}
	s.Detail = Text{EN: strings.Join(en, "; "), ZH: strings.Join(zh, "；")}
	return s
}

// sizeStep lists the limits that the server announces.
func sizeStep(caps smtp.Capabilities) Step {
	limits := caps.Limits()
	s := Step{Name: NameSize, Status: OK, Facts: StepFacts{SizeLimit: caps.Size(), RecipientLimit: limits.Recipients, ConnectionLimit: limits.Transactions}}
	var en, zh []string
	add := func(t Text) { en, zh = append(en, t.EN), append(zh, t.ZH) }
	if n := caps.Size(); n > 0 {
		// Base64 makes four octets from three, and a line end for every 57.
		add(say("messages up to %s, or attachments up to %s", "每封信最大 %s，约合附件 %s", megabytes(n), megabytes(n/78*57)))
	}
	if limits.Recipients > 0 {
		add(say("%d recipients per message", "每封信最多 %d 位收件人", limits.Recipients))
	}
	if limits.Transactions > 0 {
		add(say("%d messages per connection", "每个连接最多 %d 封", limits.Transactions))
	}
	if len(en) == 0 {
		s.Status, s.Detail = Info, say("the server announces no limits", "服务器没有公布限制")
		return s
	}
	s.Detail = Text{EN: strings.Join(en, "; "), ZH: strings.Join(zh, "；")}
	return s
}
