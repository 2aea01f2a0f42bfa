package bounce

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
)

// language has the texts of one of the two languages of a report. The language of its readers is not
// known.
type language struct {
	begin, subject, id, created string
	failed, failedOnce          string
	failedUntried, expired      string
	expiredUntried, answer      string
	happened, means, advice     string
	more, end                   string
	of                          func(diagnosis.Text) string
}

func englishTexts() language {
	return language{
		begin:   "Your message could not be delivered to %d of its recipients, and will not be retried. This report was sent by Yan on %s.",
		subject: "Subject: %s", id: "Message-ID: %s", created: "Enqueued: %s",
		failed: "was refused permanently on %s, at attempt %d", failedOnce: "was refused permanently on %s, at the first attempt",
		failedUntried: "failed on %s",
		expired:       "expired on %s, after %d attempts", expiredUntried: "expired on %s without an attempt",
		answer: "The server replied: %s", happened: "Problem: %s", means: "Meaning: %s", advice: "What to do: %s",
		more: "%d more recipients are not listed in this report.",
		end:  "Recipients not listed here are not affected.",
		of:   func(t diagnosis.Text) string { return t.EN },
	}
}

func chineseTexts() language {
	return language{
		begin:   "您的邮件未能交给其中 %d 位收件人，也不会再重试。本报告由 %[2]s 上的雁（Yan）发出。",
		subject: "主题：%s", id: "Message-ID：%s", created: "放入发件箱：%s",
		failed: "于 %s 第 %d 次尝试时被永久拒绝", failedOnce: "于 %s 首次尝试时被永久拒绝",
		failedUntried: "于 %s 放弃",
		expired:       "于 %s 放弃：共尝试 %d 次，已超过时限", expiredUntried: "于 %s 放弃：已超过时限，未曾尝试",
		answer: "服务器的应答：%s", happened: "发生的问题：%s", means: "含义：%s", advice: "怎么办：%s",
		more: "另有 %d 位收件人，本报告未逐一列出。",
		end:  "未在此列出的收件人不受影响。",
		of:   func(t diagnosis.Text) string { return t.ZH },
	}
}

// textIn returns the report in one language.
func (r *Report) textIn(t language, original message.RawHeader) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say(t.begin, len(r.Recipients), r.Host)
	say("")
	if subject := subjectOf(original); subject != "" {
		say(t.subject, subject)
	}
	if r.MessageID != "" {
		say(t.id, cleanLine(r.MessageID, 200))
	}
	if !r.Created.IsZero() {
		say(t.created, r.formatTime(r.Created))
	}
	for _, alike := range r.groupFailures() {
		say("")
		for _, s := range alike {
			say("<%s>", s.Address)
		}
		r.writeFailure(say, t, alike[0])
	}
	say("")
	if more := len(r.Recipients) - MaxRecipients; more > 0 {
		say(t.more, more)
	}
	say(t.end)
	return b.String()
}

// groupFailures returns the listed recipients, grouped by the same failure.
func (r *Report) groupFailures() [][]queue.Recipient {
	place := map[string]int{}
	var groups [][]queue.Recipient
	for i, s := range r.Recipients {
		if i == MaxRecipients {
			break
		}
		key := fmt.Sprint(s.State, s.Attempts, s.Answer.Stage, s.Answer.Class, r.formatTime(s.Updated), " ", answerText(s.Answer))
		at, ok := place[key]
		if !ok {
			at = len(groups)
			place[key] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], s)
	}
	return groups
}

// writeFailure writes the failure of a recipient, and its reason.
func (r *Report) writeFailure(say func(string, ...any), t language, s queue.Recipient) {
	when := r.formatTime(s.Updated)
	if s.Updated.IsZero() {
		when = r.formatTime(r.Now)
	}
	switch {
	case s.State == queue.Expired && s.Attempts == 0:
		say("  "+t.expiredUntried, when)
	case s.State == queue.Expired:
		say("  "+t.expired, when, s.Attempts)
	case s.Attempts == 0 || s.Answer.Reply.IsZero():
		say("  "+t.failedUntried, when)
	case s.Attempts == 1:
		say("  "+t.failedOnce, when)
	default:
		say("  "+t.failed, when, s.Attempts)
	}
	said := answerText(s.Answer)
	switch {
	case said == "":
		return
	case s.Answer.Reply.IsZero():
		say("  "+t.happened, said)
	default:
		say("  "+t.answer, said)
	}
	m := r.explain(s)
	for _, line := range []struct {
		format string
		text   diagnosis.Text
	}{{t.means, m.cause}, {"%s", m.hint}, {t.advice, m.advice}} {
		if text := t.of(line.text); text != "" {
			say("  "+line.format, cleanLine(text, maxAnswer))
		}
	}
}

func (r *Report) formatTime(t time.Time) string {
	return t.In(r.Now.Location()).Format("2006-01-02 15:04:05 -0700")
}

// explanation is the diagnosis of a failure.
type explanation struct {
	class               diagnosis.Class
	cause, hint, advice diagnosis.Text
}

// explain returns the diagnosis from the time of the failure. The text about the server's reply is
// added if the reply still has the same meaning.
func (r *Report) explain(s queue.Recipient) explanation {
	fact := diagnosis.Fact{Stage: s.Answer.Stage, Reply: s.Answer.Reply, Provider: r.Provider}
	if s.Answer.Err != "" {
		fact.Err = errors.New(s.Answer.Err)
	}
	found := diagnosis.Diagnose(fact)
	was := diagnosis.Class(s.Answer.Class)
	if known, ok := diagnosis.Kept(was, s.Answer.Stage, s.Answer.Err); ok && was != found.Class {
		return explanation{class: was, cause: known.Cause, hint: known.Hint, advice: known.Advice}
	}
	m := explanation{found.Class, found.Cause, found.Hint, found.Advice}
	if found.Basis == diagnosis.BasisNothing {
		m.hint = diagnosis.Text{} // it repeats the reply
		if s.Answer.Reply.IsZero() {
			m.cause, m.advice = diagnosis.Text{}, diagnosis.Text{} // these are about a server
		}
	}
	return m
}
