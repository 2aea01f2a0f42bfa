package diagnosis_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

func reply(code int, enhanced, text string) smtp.Reply {
	r := smtp.Reply{Code: code, Lines: []string{text}}
	if e, _, ok := smtp.CutEnhancedCode(enhanced); ok {
		r.Enhanced = e
	}
	return r
}

// The order of the rules, case by case. Want is class, permanence, basis.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	fact := func(stage smtp.Stage, r smtp.Reply, id string) diagnosis.Fact {
		return diagnosis.Fact{Stage: stage, Reply: r, Provider: id}
	}
	for _, tt := range []struct {
		name string
		fact diagnosis.Fact
		want string
	}{
		// The same text, another provider.
		{"iCloud wants an app password", fact(smtp.StageAuth, reply(535, "5.7.8", "Error: authentication failed"), "icloud"), "AUTH_NEED_APP_PASSWORD permanent provider"},
		{"NetEase does not say so", fact(smtp.StageAuth, reply(535, "", "Error: authentication failed"), "netease163"), "AUTH_BAD_CREDENTIALS permanent provider"},
		{"526 at Alibaba is the login", fact(smtp.StageAuth, reply(526, "", "Authentication failure[0]"), "alibaba_qiye"), "AUTH_BAD_CREDENTIALS permanent provider"},
		{"526 at DirectMail is DNS", fact(smtp.StageRcpt, reply(526, "", "No data by dns resolve"), "aliyun_dm"), "RECIPIENT_INVALID permanent provider"},
		// Families.
		{"exmail has QQ's rows", fact(smtp.StageBody, reply(550, "", `The "From" header is missing or invalid. x`), "exmail"), "FROM_HEADER_INVALID permanent provider"},
		{"126 has 163's rows", fact(smtp.StageBody, reply(554, "", "DT:SPM 126 smtp2,x y"), "netease126"), "CONTENT_REJECTED permanent provider"},
		{"enterprise NetEase too", fact(smtp.StageMail, reply(553, "", "Mail from must equal authorized user"), "netease_qiye"), "SENDER_MISMATCH permanent provider"},
		{"outlook has office365's rows", fact(smtp.StageAuth, reply(535, "5.7.139", "Authentication unsuccessful, basic authentication is disabled. [x y]"), "outlook"), "AUTH_BASIC_DISABLED permanent provider"},
		{"AOL has Yahoo's rows", fact(smtp.StageAuth, reply(535, "5.7.0", "(#AUTH005) Too many bad auth attempts."), "aol"), "AUTH_NEED_APP_PASSWORD permanent provider"},
		// Codes that mislead.
		{"a 550 that passes", fact(smtp.StageBody, reply(550, "", "Sender frequency limited [x]. https://y"), "qq"), "RATE_LIMITED temporary provider"},
		{"a 440 that does not", fact(smtp.StageMail, reply(440, "", "mail from account doesn't conform with authentication (Auth Account:a|Mail Account:b)"), "aliyun"), "SENDER_MISMATCH permanent provider"},
		{"a 454 that does not", fact(smtp.StageAuth, reply(454, "", "Authentication failed, please open smtp flag first!"), ""), "AUTH_SERVICE_DISABLED permanent text"},
		{"a tag under another code of the class", fact(smtp.StageBody, reply(553, "", "DT:SPM x"), "yeah"), "CONTENT_REJECTED permanent provider"},
		{"a tag under any code", fact(smtp.StageAuth, reply(454, "", "ERR.LOGIN.PASSERR"), "netease_qiye"), "AUTH_BAD_CREDENTIALS permanent provider"},
		// Texts: case, spaces, several lines.
		{"upper case and spaces", fact(smtp.StageMail, reply(501, "", "MAIL  FROM   address must be SAME as authorization user"), "qq"), "SENDER_MISMATCH permanent provider"},
		{"a text over two lines", fact(smtp.StageAuth, smtp.Reply{Code: 535, Lines: []string{"Username and Password", "not accepted. x"}}, "gmail"), "AUTH_BAD_CREDENTIALS permanent provider"},
		{"Chinese", fact(smtp.StageAuth, reply(535, "", "Error: 请使用授权码登录。详情请看: x"), "qq"), "AUTH_NEED_APP_PASSWORD permanent provider"},
		{"words in another order", fact(smtp.StageGreeting, reply(421, "", "<192.0.2.1> rejected: IP<192.0.2.1>"), "netease163"), "TEMPORARY temporary code"},
		{"words of a recipient at AUTH", fact(smtp.StageAuth, reply(550, "", "Invalid User"), "netease163"), "AUTH_BAD_CREDENTIALS permanent code"},
		{"words of a login at MAIL", fact(smtp.StageMail, reply(535, "", "Error: authentication failed"), "qq"), "AUTH_BAD_CREDENTIALS permanent provider"},
		// The provider is known and the text is from other software.
		{"Postfix words at an unknown server", fact(smtp.StageRcpt, reply(550, "5.1.1", "<x@y>: Recipient address rejected: User unknown in local recipient table"), ""), "RECIPIENT_INVALID permanent text"},
		{"others' words at a known provider", fact(smtp.StageRcpt, reply(554, "5.7.1", "Service unavailable; Client host [x] blocked using zen.spamhaus.org; y"), "gmail"), "IP_REPUTATION temporary text"},
		// Enhanced codes.
		{"the provider's own use of a code", fact(smtp.StageBody, reply(550, "5.7.750", "new words"), "office365"), "SENDER_UNVERIFIED permanent provider"},
		{"a code that the provider uses for many things", fact(smtp.StageBody, reply(550, "5.7.1", "new words"), "gmail"), "CONTENT_REJECTED permanent enhanced"},
		{"a range", fact(smtp.StageBody, reply(550, "5.7.606", "new words"), "office365"), "RATE_LIMITED temporary provider"},
		{"the registry", fact(smtp.StageRcpt, reply(550, "5.1.1", "nix da"), ""), "RECIPIENT_INVALID permanent enhanced"},
		{"temporary twin", fact(smtp.StageRcpt, reply(450, "4.1.1", "nix da"), ""), "RECIPIENT_INVALID temporary enhanced"},
		{"5.2.2", fact(smtp.StageRcpt, reply(552, "5.2.2", "voll"), ""), "RECIPIENT_FULL permanent enhanced"},
		{"4.2.2", fact(smtp.StageRcpt, reply(452, "4.2.2", "voll"), ""), "RECIPIENT_FULL temporary enhanced"},
		{"5.7.1 by stage: recipient", fact(smtp.StageRcpt, reply(550, "5.7.1", "nein"), ""), "RECIPIENT_REJECTS permanent enhanced"},
		{"5.7.1 by stage: content", fact(smtp.StageBody, reply(550, "5.7.1", "nein"), ""), "CONTENT_REJECTED permanent enhanced"},
		{"5.7.1 at AUTH is the login", fact(smtp.StageAuth, reply(550, "5.7.1", "nein"), ""), "AUTH_BAD_CREDENTIALS permanent code"},
		{"5.5.1 at AUTH is the login", fact(smtp.StageAuth, reply(503, "5.5.1", "nein"), ""), "AUTH_BAD_CREDENTIALS permanent code"},
		{"5.7.28 passes", fact(smtp.StageBody, reply(550, "5.7.28", "zu viel"), ""), "RATE_LIMITED temporary enhanced"},
		// Codes.
		{"535", fact(smtp.StageAuth, reply(535, "", "nein"), ""), "AUTH_BAD_CREDENTIALS permanent code"},
		{"599 at AUTH", fact(smtp.StageAuth, reply(599, "", "nein"), ""), "AUTH_BAD_CREDENTIALS permanent code"},
		{"454 at AUTH", fact(smtp.StageAuth, reply(454, "", "später"), ""), "TEMPORARY temporary code"},
		{"550 at RCPT", fact(smtp.StageRcpt, reply(550, "", "nein"), ""), "RECIPIENT_INVALID permanent code"},
		{"552 at RCPT", fact(smtp.StageRcpt, reply(552, "", "nein"), ""), "RECIPIENT_FULL permanent code"},
		{"452 at RCPT", fact(smtp.StageRcpt, reply(452, "", "nein"), ""), "TOO_MANY_RECIPIENTS temporary code"},
		{"552 at the end", fact(smtp.StageBody, reply(552, "", "nein"), ""), "TOO_LARGE permanent code"},
		{"554 at the end", fact(smtp.StageBody, reply(554, "", "nein"), ""), "CONTENT_REJECTED permanent code"},
		{"421 anywhere", fact(smtp.StageData, reply(421, "", "tschüss"), ""), "TEMPORARY temporary code"},
		{"554 as greeting", fact(smtp.StageGreeting, reply(554, "", "nein"), ""), "IP_REPUTATION temporary code"},
		{"530 at MAIL", fact(smtp.StageMail, reply(530, "", "nein"), ""), "AUTH_REQUIRED permanent code"},
		{"454 to STARTTLS", fact(smtp.StageStartTLS, reply(454, "", "später"), ""), "TEMPORARY temporary code"},
		// Nothing to go by.
		{"a 5xx of no meaning", fact(smtp.StageData, reply(571, "", "nein"), ""), "UNCLASSIFIED permanent nothing"},
		{"nothing at all", diagnosis.Fact{}, "UNCLASSIFIED unknown nothing"},
		{"a provider nobody knows", fact(smtp.StageAuth, reply(535, "", "nein"), "nobody"), "AUTH_BAD_CREDENTIALS permanent code"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := diagnosis.Diagnose(tt.fact)
			if got := fmt.Sprint(f.Class, " ", f.Permanence, " ", f.Basis); got != tt.want {
				t.Errorf("got %s (row %s), want %s", got, f.Row, tt.want)
			}
		})
	}
}

// Failures after an accepted message, and before its reply.
func TestDiagnoseAroundTheEnd(t *testing.T) {
	t.Parallel()
	frame := &smtp.Error{Stage: smtp.StageQuit, Err: fmt.Errorf("%w: %q", smtp.ErrMalformedReply, "\x00\x00\x00\x1a")}
	for _, tt := range []struct {
		name string
		fact diagnosis.Fact
		want diagnosis.Class
		row  string
	}{
		{"QQ's frame after QUIT", diagnosis.Fact{Err: frame, Provider: "qq"}, diagnosis.ClassAfterAccept, "1.11"},
		{"the same of nobody known", diagnosis.Fact{Err: frame}, diagnosis.ClassAfterAccept, "10.7"},
		{"EOF after QUIT", diagnosis.Fact{Stage: smtp.StageQuit, Err: io.EOF}, diagnosis.ClassAfterAccept, "10.7"},
		{"502 to RSET", diagnosis.Fact{Stage: smtp.StageReset, Reply: reply(502, "", "no (eYou MTA)")}, diagnosis.ClassAfterAccept, "5.10"},
		{"accepted whatever else is said", diagnosis.Fact{Stage: smtp.StageBody, Err: io.EOF, Status: smtp.Accepted}, diagnosis.ClassAfterAccept, ""},
		{"the answer itself", diagnosis.Fact{Stage: smtp.StageBody, Reply: reply(250, "", "OK")}, diagnosis.ClassAfterAccept, ""},
		{"RSET before a message", diagnosis.Fact{Stage: smtp.StageReset, Reply: reply(502, "", "no (eYou MTA)"), Status: smtp.NotTried}, diagnosis.ClassConnectionLost, ""},
		{"lost at RSET before a message", diagnosis.Fact{Stage: smtp.StageReset, Err: io.EOF, Status: smtp.NotTried}, diagnosis.ClassConnectionLost, ""},
		{"unknown", diagnosis.Fact{Stage: smtp.StageBody, Err: io.EOF, Status: smtp.Unknown}, diagnosis.ClassUnknownOutcome, ""},
		{"unknown, said at another stage", diagnosis.Fact{Stage: smtp.StageRcpt, Reply: reply(421, "", "bye"), Status: smtp.Unknown}, diagnosis.ClassUnknownOutcome, ""},
		{"EOF for an answer, status not known", diagnosis.Fact{Stage: smtp.StageBody, Err: io.EOF}, diagnosis.ClassUnknownOutcome, ""},
		{"a deadline, status not known", diagnosis.Fact{Stage: smtp.StageBody, Err: context.DeadlineExceeded}, diagnosis.ClassUnknownOutcome, ""},
		{"cut in the middle", diagnosis.Fact{Stage: smtp.StageBody, Err: io.EOF, Status: smtp.NotTried}, diagnosis.ClassConnectionLost, ""},
		{"cut for an attachment", diagnosis.Fact{Stage: smtp.StageBody, Err: fmt.Errorf("x: %w", smtpclient.ErrContent), Status: smtp.NotTried}, diagnosis.ClassContentUnreadable, ""},
		{"cut, and the server said why", diagnosis.Fact{Stage: smtp.StageBody, Reply: reply(552, "5.3.4", "Message size exceeds fixed limit"), Err: io.EOF, Status: smtp.NotTried}, diagnosis.ClassTooLarge, "11.5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := diagnosis.Diagnose(tt.fact)
			if f.Class != tt.want || f.Row != tt.row {
				t.Errorf("got %s of row %q, want %s of row %q", f.Class, f.Row, tt.want, tt.row)
			}
			accepted := f.Class == diagnosis.ClassAfterAccept
			if accepted != (f.Permanence == diagnosis.AcceptedAlready) || accepted != (f.Retry.Kind == diagnosis.RetryAccepted) {
				t.Errorf("%s is %s, retry %s", f.Class, f.Permanence, f.Retry)
			}
			if f.Class == diagnosis.ClassUnknownOutcome && (f.Permanence != diagnosis.UnknownPermanence || f.Retry.Kind != diagnosis.RetryNever) {
				t.Errorf("an unknown outcome is %s, retry %s", f.Permanence, f.Retry)
			}
		})
	}
}

func TestFromOutcomeAndError(t *testing.T) {
	t.Parallel()
	o := smtp.Outcome{Status: smtp.Refused, Stage: smtp.StageRcpt, Reply: reply(550, "", "Invalid User")}
	if f := diagnosis.Diagnose(diagnosis.FromOutcome(o, "netease163")); f.Class != diagnosis.ClassRecipientInvalid || f.Scope != diagnosis.ScopeRecipient {
		t.Errorf("outcome: %+v", f)
	}
	err := fmt.Errorf("send: %w", &smtp.Error{Stage: smtp.StageAuth, Reply: reply(535, "5.7.8", "x p=BadCredentials y"), Err: io.EOF})
	if f := diagnosis.Diagnose(diagnosis.FromError(err, "gmail")); f.Class != diagnosis.ClassAuthBadCredentials || f.Row != "6.1" {
		t.Errorf("error: %+v", f)
	}
	if f := diagnosis.Diagnose(diagnosis.FromError(errors.New("odd"), "")); f.Class != diagnosis.ClassUnclassified || !strings.Contains(f.Hint.EN, "odd") || !strings.Contains(f.Hint.ZH, "odd") {
		t.Errorf("an unknown error: %+v", f)
	}
	if f := diagnosis.Diagnose(diagnosis.FromError(nil, "")); f.Class != diagnosis.ClassUnclassified {
		t.Errorf("no error: %+v", f)
	}
}

// Pauses named by a server.
func TestNamedWait(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reply smtp.Reply
		want  string
	}{
		{reply(450, "", "Busy, try again in 2 minutes"), "delay 2m0s"},
		{reply(450, "", "please retry after 300 seconds"), "delay 5m0s"},
		{reply(451, "", "Please wait 1 hour"), "delay 1h0m0s"},
		{reply(451, "", "come back in 3 days"), "delay 72h0m0s"},
		{reply(451, "", "try again in 400 days"), "delay 168h0m0s"},
		{reply(451, "", "Please retry after 3600 seconds."), "delay 1h0m0s"},
		{reply(421, "", "Too many logins. Try again in 4 hours"), "delay 4h0m0s"},
		{reply(450, "", "Greylisted, see http://x (try again in 300 seconds)"), "delay 5m0s"},
		{reply(450, "", "Greylisted for 5 minutes"), "delay 5m0s"},
		{reply(454, "", "account temporarily locked for 30 mins"), "delay 30m0s"},
		{reply(421, "", "IP blocked for the next 2 h"), "delay 2h0m0s"},
		{reply(451, "", "try again in 5-10 minutes"), "delay 10m0s"},
		{reply(451, "", "please wait at least 30 sec"), "delay 30s"},
		{reply(451, "", "try again in an hour"), "delay 1h0m0s"},
		{reply(451, "", "try again in half an hour"), "delay 30m0s"},
		{reply(451, "", "retry in 00:04:59"), "delay 4m59s"},
		{reply(451, "", "rate limit; Retry-After: 120"), "delay 2m0s"},
		{reply(451, "", "请10分钟后重试"), "delay 10m0s"},
		{reply(451, "", "请 5-10 分钟后再试"), "delay 10m0s"},
		{reply(451, "", "发送过快，请于一小时后重试"), "delay 1h0m0s"},
		{reply(451, "", "请半小时后再发"), "delay 30m0s"},
		{reply(451, "", "请两个小时以后再试"), "delay 2h0m0s"},
		{reply(451, "", "24小时内请勿重试"), "delay 24h0m0s"},
		{reply(451, "", "请等待 15 分钟"), "delay 15m0s"},
		{reply(451, "", "明天再试，或 1 天后再试"), "delay 24h0m0s"},
		{reply(451, "", "请在10分钟后重试"), "delay 10m0s"},
		{reply(451, "", "30 秒后再试"), "delay 30s"},
		{reply(451, "", "2小时之后再发"), "delay 2h0m0s"},
		{reply(550, "", "not now, try again in 2 minutes"), "delay 2m0s"}, // a temporary 5xx
		{reply(451, "", "try again in 0 seconds"), "delay 1s"},
		// No pause.
		{reply(451, "", "try again later"), "transient"},
		{reply(451, "", "limit of 400 rcpts per 24 hours"), "transient"},
		{reply(451, "", "try again in 99999999999 seconds"), "transient"},
		{reply(451, "", "try again in a few minutes"), "transient"},
		{reply(451, "", "try again after 2026-11-23T08:00:00Z"), "transient"}, // the clock is unknown
		{reply(451, "", "you sent 500 messages in 24 hours, try again later"), "transient"},
		{reply(451, "", "每24小时最多发送500封"), "transient"},
		{reply(451, "", "10分钟内发送过多，请稍后重试"), "transient"},
		{reply(550, "5.1.1", "User unknown; do not try again in 2 minutes"), "never"}, // the code is more reliable
	} {
		f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageRcpt, Reply: tt.reply})
		if f.Retry.String() != tt.want {
			t.Errorf("%s: retry %s, want %s (%s by %s)", tt.reply, f.Retry, tt.want, f.Class, f.Basis)
		}
		if f.Retry.Kind == diagnosis.RetryDelay && f.Permanence != diagnosis.Temporary {
			t.Errorf("%s: a pause and yet %s", tt.reply, f.Permanence)
		}
	}
	f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageBody, Provider: "qq", Reply: reply(550, "", "Ip frequency limited, try again in 20 minutes")})
	if f.Retry.After != 20*time.Minute {
		t.Errorf("the server's own pause does not win over the row's: %s", f.Retry)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageAuth, Provider: "qq", Reply: reply(535, "", "Error: authentication failed")})
	qq, _ := provider.ByID("qq")
	if f.Where.EN != qq.CodeHelp.EN || f.Where.ZH != qq.CodeHelp.ZH || !slices.Equal(f.HelpURLs, qq.CodeHelp.URLs) {
		t.Errorf("where: %+v", f)
	}
	f = diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageBody, Provider: "qq", Reply: reply(550, "", `The "From" header is missing or invalid.`)})
	if len(f.HelpURLs) != 1 || f.Where.EN != "" {
		t.Errorf("from rules: %+v", f)
	}
	f = diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageAuth, Provider: "gmail", Reply: reply(454, "4.7.0", "Too many login attempts, please try again later.")})
	if f.Where.EN != "" || len(f.HelpURLs) != 0 {
		t.Errorf("too many logins: the advice is a new code: %+v", f)
	}
	refused := &smtp.Error{Stage: smtp.StageAuth, Reply: reply(535, "5.7.8", "Username and Password not accepted. x"), Err: smtpclient.ErrTokenRefused}
	f = diagnosis.Diagnose(diagnosis.FromError(refused, "gmail"))
	if f.Class != diagnosis.ClassAuthTokenRefused || f.Where.EN != "" || f.Hint.EN != "" || f.Row != "" {
		t.Errorf("login with a token: the advice is an app password: %+v", f)
	}
}

// A hint names a provider only if that provider must have sent the reply.
func TestHintOfAnotherProvider(t *testing.T) {
	t.Parallel()
	r := reply(535, "5.7.8", "Error: authentication failed: This user does not have access rights to this service")
	if f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageAuth, Reply: r}); f.Hint.EN == "" {
		t.Errorf("only Yandex speaks so, and its hint is missing: %+v", f)
	}
	if f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageAuth, Reply: r, Provider: "mailboxorg"}); f.Hint.EN != "" || f.Class != diagnosis.ClassAuthNeedAppPassword {
		t.Errorf("mailbox.org gets Yandex's hint: %+v", f)
	}
}

func TestUnclassifiedQuotesTheServer(t *testing.T) {
	t.Parallel()
	f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageData, Reply: reply(571, "", "odd words "+strings.Repeat("x", 5000))})
	for _, s := range []string{f.Hint.EN, f.Hint.ZH} {
		if !strings.Contains(s, "571 odd words") || len(s) > 400 {
			t.Errorf("hint %q", s)
		}
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for stage, want := range map[smtp.Stage]diagnosis.Scope{
		smtp.StageHello: diagnosis.ScopeConnection, smtp.StageAuth: diagnosis.ScopeAccount, smtp.StageMail: diagnosis.ScopeMessage,
		smtp.StageRcpt: diagnosis.ScopeRecipient, smtp.StageData: diagnosis.ScopeMessage, smtp.StageBody: diagnosis.ScopeMessage,
	} {
		if f := diagnosis.Diagnose(diagnosis.Fact{Stage: stage, Reply: reply(451, "", "später")}); f.Scope != want {
			t.Errorf("%s: %s, want %s", stage, f.Scope, want)
		}
	}
	if f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageRcpt, Reply: reply(421, "", "tschüss")}); f.Scope != diagnosis.ScopeConnection {
		t.Errorf("421: %s", f.Scope)
	}
}

// Among rows with the same text the nearest one counts.
func TestNearestRow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		provider string
		reply    smtp.Reply
		stage    smtp.Stage
		want     string
	}{
		{"netease163", reply(550, "", "MI:STC x"), smtp.StageBody, "3b.29"},
		{"netease163", reply(554, "", "MI:STC x"), smtp.StageBody, "3b.50"},
		{"exmail", reply(535, "", "Error: authentication failed"), smtp.StageAuth, "2.2"},
		{"qq", reply(535, "", "Error: authentication failed"), smtp.StageAuth, "1.4"},
		{"qq", reply(550, "", "Suspected spam ip. x"), smtp.StageBody, "1b.13"},
		{"qq", reply(550, "", "suspected spam. x"), smtp.StageBody, "1b.14"},
		{"office365", reply(535, "5.7.139", "Authentication unsuccessful, account locked. [x y]"), smtp.StageAuth, "7.7"},
	} {
		if f := diagnosis.Diagnose(diagnosis.Fact{Stage: tt.stage, Reply: tt.reply, Provider: tt.provider}); f.Row != tt.want {
			t.Errorf("%s of %s: row %q, want %q", tt.reply, tt.provider, f.Row, tt.want)
		}
	}
}

// BenchmarkDiagnose measures the diagnosis of one failure.
func BenchmarkDiagnose(b *testing.B) {
	fact := diagnosis.Fact{Stage: smtp.StageRcpt, Reply: reply(550, "5.1.1", "<x@y>: Recipient address rejected: User unknown in local recipient table"), Provider: "qq"}
	for b.Loop() {
		diagnosis.Diagnose(fact)
	}
}
