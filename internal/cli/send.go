package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// sendFlags are the flags of send beside those of the server.
type sendFlags struct {
	serverFlags
	to, cc, bcc, replyTo []string
	from                 string
	subject              string
	body, bodyFile, html string
	attach, inline       []string
	header               []string
	raw                  bool
	policy               string
	dryRun               bool
	transcript           bool
	quiet                bool
	json                 bool
}

func (a *app) sendCommand() *cobra.Command {
	s := &sendFlags{}
	cmd := &cobra.Command{
		Use:   "send [flags] [--raw FILE…]",
		Short: a.T("Send a message"),
		Long: a.T("Send a message and say, for each recipient, what became of it.\n\n" +
			"The password or authorization code is read from the file that YAN_PASSWORD_FILE\n" +
			"names, or asked for on the terminal; it is never a flag. Piped input is the body.\n" +
			"A value @FILE is read from the file, - from standard input; @@ begins a plain @.\n" +
			"Every flag can be set by a variable: --to-policy is YAN_TO_POLICY."),
		Example: `  YAN_PASSWORD_FILE=code.txt yan send --server qq -f me@qq.com -t friend@163.com -s 你好 -b "Hello World" -a report.pdf
  df -h | yan send --server smtps://me%40example.com@smtp.example.com -t ops@example.com -s disks
  yan send --raw message.eml -f me@qq.com -t friend@163.com`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.send(cmd, s, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVarP(&s.to, "to", "t", nil, a.T("`ADDRESS`, 'Name <address>', or several with commas or semicolons; repeatable"))
	f.StringArrayVar(&s.cc, "cc", nil, a.T("like --to, in the Cc header"))
	f.StringArrayVar(&s.bcc, "bcc", nil, a.T("like --to, in no header at all"))
	f.StringVarP(&s.from, "from", "f", "", a.T("the sender's `ADDRESS` (default: EMAIL, or the user of the server URL)"))
	f.StringVarP(&s.subject, "subject", "s", "", a.T("the subject, `TEXT` in any language"))
	f.StringVarP(&s.body, "body", "b", "", a.T("the `TEXT` of the message"))
	f.StringVar(&s.bodyFile, "body-file", "", a.T("read the text from a `FILE`, - for standard input"))
	f.StringVar(&s.html, "html", "", a.T("the `HTML` of the message, beside or instead of the text"))
	f.StringArrayVarP(&s.attach, "attach", "a", nil, a.T("attach a `FILE`, - for standard input; repeatable"))
	f.StringArrayVar(&s.inline, "inline", nil, a.T("an image `FILE` that the HTML shows as cid:FILENAME; repeatable"))
	f.StringArrayVar(&s.header, "header", nil, a.T("a further header, `'Name: value'`; repeatable"))
	f.StringArrayVar(&s.replyTo, "reply-to", nil, a.T("`ADDRESS` that answers shall go to"))
	f.BoolVar(&s.raw, "raw", false, a.T("the files, or standard input, are whole messages (.eml), sent as they are"))
	f.StringVar(&s.policy, "to-policy", "all", a.T("when a recipient is refused: `all` sends to nobody, any to the others"))
	s.register(a, cmd)
	f.BoolVarP(&s.dryRun, "dry-run", "n", false, a.T("print the exact bytes and the envelope; touch no network"))
	f.BoolVarP(&s.transcript, "transcript", "v", false, a.T("show the conversation with the server, secrets hidden"))
	f.BoolVarP(&s.quiet, "quiet", "q", false, a.T("print nothing but errors"))
	f.BoolVar(&s.json, "json", false, a.T("print one JSON object for each message"))
	complete(cmd, "to-policy", func() []string { return []string{"all", "any"} })
	return cmd
}

// send is the command: check everything, then open, then send each message.
func (a *app) send(cmd *cobra.Command, s *sendFlags, args []string) error {
	if err := a.checkSend(cmd, s, args); err != nil {
		return err
	}
	jobs, err := a.jobs(cmd, s, args)
	if err != nil {
		return err
	}
	defer closeAll(jobs)
	if s.dryRun {
		return a.printDry(s, jobs)
	}
	client, server, err := a.open(cmd, s, jobs)
	if err != nil {
		return err
	}
	defer client.Close()
	return a.deliver(cmd.Context(), s, client, server, jobs)
}

// checkSend finds flags that contradict each other.
func (a *app) checkSend(cmd *cobra.Command, s *sendFlags, args []string) error {
	changed := cmd.Flags().Changed
	if s.policy != "all" && s.policy != "any" {
		return a.usagef("--to-policy %q: want all or any", s.policy)
	}
	if changed("body") && changed("body-file") {
		return a.usagef("--body and --body-file are both given; the text can come from one only")
	}
	if !s.raw && len(args) > 0 {
		return a.usagef("%q is not a flag; recipients go behind -t, files to attach behind -a, whole messages behind --raw", args[0])
	}
	if s.raw {
		for _, name := range []string{"subject", "body", "body-file", "html", "attach", "inline", "header", "reply-to"} {
			if changed(name) {
				return a.usagef("--%s can't be used with --raw, which sends messages as they are", name)
			}
		}
	}
	if s.quiet && s.json {
		return a.usagef("--quiet and --json are both given; one says nothing, the other everything")
	}
	return nil
}

// open checks the server and the login, and makes the client.
func (a *app) open(cmd *cobra.Command, s *sendFlags, jobs []*job) (*yan.Client, transport.Server, error) {
	from := jobs[0].envelope.From()
	o, err := a.options(cmd.Flags(), &s.serverFlags, from.String())
	if err != nil {
		return nil, transport.Server{}, err
	}
	server, err := transport.ParseServer(s.server, from)
	if err != nil {
		return nil, server, a.usage(err)
	}
	if err := a.askSecret(server, &o); err != nil {
		return nil, server, err
	}
	if s.transcript {
		o.Trace = a.transcript(a.Stderr, a.StderrWidth)
	}
	client, err := yan.Open(s.server, o)
	if err != nil {
		return nil, server, fail(exitConfig, err, "")
	}
	return client, server, nil
}

// deliver sends the messages one after the other; the worst exit status wins.
func (a *app) deliver(ctx context.Context, s *sendFlags, client *yan.Client, server transport.Server, jobs []*job) error {
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.timeout, errors.New(a.T("the time of --timeout is over")))
		defer cancel()
	}
	worst := exitOK
	for _, j := range jobs {
		t := yan.Transaction{Envelope: j.envelope, Content: j.content, Policy: policy(s.policy)}
		bar := a.progress(s, j.content.Size())
		t.Progress = bar.set
		result, err := client.Deliver(ctx, t)
		bar.clear()
		if failed := (*yan.SendError)(nil); err != nil && !errors.As(err, &failed) {
			return internal("sending", err)
		}
		result.MessageID = j.content.MessageID()
		code := exitStatus(result, server.Provider.ID)
		if reachedStop(s, result) {
			code = exitOK
		}
		a.report(s, j, server, result, code)
		worst = max(worst, code)
	}
	if worst == exitOK {
		return nil
	}
	return &failure{code: worst, err: errors.New("not sent to all"), told: true}
}

func policy(word string) smtpclient.Policy {
	if word == "any" {
		return smtpclient.Any
	}
	return smtpclient.All
}

// reachedStop reports whether --quit-after was given and its stage passed.
func reachedStop(s *sendFlags, r yan.Result) bool {
	if s.quitAfter == "" {
		return false
	}
	for _, o := range r.Recipients {
		stopped := errors.Is(o.Err, transport.ErrStopped) || o.Err == nil && o.Reply.Positive()
		if o.Status != smtp.NotTried || !stopped {
			return false
		}
	}
	return true
}

// job is one message with its envelope.
type job struct {
	name     string // the file, or "" for a composed message
	content  *message.Content
	envelope smtp.Envelope
}

func closeAll(jobs []*job) {
	for _, j := range jobs {
		_ = j.content.Close() // only temporary files of ours hang on it
	}
}

// jobs composes or reads everything that is to be sent, before anything is
// connected.
func (a *app) jobs(cmd *cobra.Command, s *sendFlags, args []string) ([]*job, error) {
	if err := a.expand(s); err != nil {
		return nil, err
	}
	if !s.raw {
		j, err := a.compose(cmd, s)
		if err != nil {
			return nil, err
		}
		return []*job{j}, nil
	}
	if len(args) == 0 {
		args = []string{"-"}
	}
	var jobs []*job
	for _, name := range args {
		j, err := a.readRaw(s, name)
		if err != nil {
			closeAll(jobs)
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// sender is the address to send from: the flag, EMAIL, or the user of the URL.
func (a *app) sender(s *sendFlags) string {
	for _, candidate := range []string{s.from, a.Getenv("EMAIL")} {
		if candidate != "" {
			return candidate
		}
	}
	if strings.Contains(s.server, "://") {
		if server, err := transport.ParseServer(s.server, smtp.Address{}); err == nil && strings.Contains(server.User, "@") {
			return server.User
		}
	}
	return ""
}
