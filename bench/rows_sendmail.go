package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// The programs beside ours that take a message from another program: Debian's sendmail of each.
const (
	nullmailer      = "nullmailer"
	postfixSendmail = "Postfix's sendmail"
)

// sendmailCalls is how many calls of sendmail make one figure.
const sendmailCalls = 25

// sendmailRows measures a call of sendmail, from the start of the process to its end, when the message is on
// the disk. Nothing delivers meanwhile.
func (c *course) sendmailRows() []experiment {
	others := mergeAbsent(absentFor(noCommand, gomailName, netsmtp, gosmtpName, nodemailer), absentFor(noLoadMaker, smtpsource))
	return []experiment{{
		rows:   []reportRow{{ID: "door/sendmail", Name: "a call of sendmail, the message durable", Unit: "ms"}},
		guests: []string{nullmailer, postfixSendmail},
		absent: others,
		measure: func(ctx context.Context, who string) ([]float64, error) {
			d, err := c.openSendmail(ctx, who)
			if err != nil {
				return nil, err
			}
			defer d.close()
			return d.measure(ctx)
		},
	}}
}

// sendmailProgram is a sendmail with its queue.
type sendmailProgram struct {
	command string
	args    []string
	env     []string
	// count returns how many messages the queue has.
	count func(ctx context.Context) (int, error)
	close func()
}

func (c *course) openSendmail(ctx context.Context, who string) (*sendmailProgram, error) {
	folder, err := os.MkdirTemp(c.folder, "sendmail-")
	if err != nil {
		return nil, err
	}
	remove := func() { _ = os.RemoveAll(folder) }
	var d *sendmailProgram
	switch who {
	case nullmailer:
		d, err = c.nullmailerSendmail(folder)
	case postfixSendmail:
		d, err = postfixOwnSendmail(folder)
	default:
		d, err = c.ourSendmail(ctx, folder)
	}
	if err != nil {
		remove()
		return nil, err
	}
	inner := d.close
	d.close = func() { inner(); remove() }
	return d, nil
}

// measure returns the median of the calls, after one that is not counted.
func (d *sendmailProgram) measure(ctx context.Context) ([]float64, error) {
	var times []float64
	for i := range sendmailCalls + 1 {
		call := exec.CommandContext(ctx, d.command, append(d.args, "-i", "-f", userName, "recipient-1@example.test")...)
		call.Env = append(os.Environ(), d.env...)
		call.Stdin = bytes.NewReader([]byte(fmt.Sprintf("Subject: %d\nTo: recipient-1@example.test\n\nOne line.\n", i)))
		begun := time.Now()
		out, err := call.CombinedOutput()
		took := time.Since(begun)
		if err != nil || len(out) > 0 {
			return nil, fmt.Errorf("sendmail: %v: %s", err, out)
		}
		if i > 0 {
			times = append(times, took.Seconds()*1000)
		}
	}
	kept, err := d.count(ctx)
	if err != nil {
		return nil, err
	}
	if kept != sendmailCalls+1 {
		return nil, fmt.Errorf("%w: %d messages are in the queue, not %d", errArrival, kept, sendmailCalls+1)
	}
	return []float64{newFigure(times).Median}, nil
}

// countFiles counts the files below a folder.
func countFiles(folder string) func(context.Context) (int, error) {
	return func(context.Context) (n int, err error) {
		err = filepath.WalkDir(folder, func(_ string, e os.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				n++
			}
			return err
		})
		return n, err
	}
}

// ourSendmail is yan serve with an account whose server refuses connections, so that nothing is delivered.
func (c *course) ourSendmail(ctx context.Context, folder string) (*sendmailProgram, error) {
	socket := filepath.Join(folder, "submit.sock")
	config := filepath.Join(folder, "config.toml")
	text := fmt.Sprintf("version = 1\n[account.work]\nfrom = %q\nserver = \"smtp+notls://127.0.0.1:1\"\n[submit]\nsocket = %q\ndrop = \"none\"\n", userName, socket)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	env := []string{"YAN_CONFIG=" + config, "YAN_OUTBOX=" + filepath.Join(folder, "outbox.db"), "HOME=" + folder}
	serve := exec.CommandContext(ctx, c.command, "serve")
	serve.Env = append(os.Environ(), env...)
	var said bytes.Buffer
	serve.Stderr = &said
	if err := serve.Start(); err != nil {
		return nil, err
	}
	stop := func() {
		_ = serve.Process.Signal(os.Interrupt)
		_ = serve.Wait() // it was told to end
	}
	for range 200 {
		if conn, err := net.Dial("unix", socket); err == nil {
			_ = conn.Close()
			return &sendmailProgram{command: c.command, args: []string{"sendmail"}, env: env, close: stop, count: func(ctx context.Context) (int, error) {
				list := exec.CommandContext(ctx, c.command, "sendmail", "-bp", "--json")
				list.Env = append(os.Environ(), env...)
				out, err := list.Output()
				return bytes.Count(out, []byte("\n")), err
			}}, nil
		}
		if ctx.Err() != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	stop()
	return nil, fmt.Errorf("yan serve does not listen: %s", said.Bytes())
}

// nullmailerSendmail is Debian's nullmailer as it was unpacked; its own variable for tests names the folder.
func (c *course) nullmailerSendmail(folder string) (*sendmailProgram, error) {
	program := c.tools[nullmailer].Path
	usr := filepath.Dir(filepath.Dir(program))
	for link, to := range map[string]string{"bin": filepath.Join(usr, "bin"), "sbin": filepath.Join(usr, "sbin")} {
		if err := os.Symlink(to, filepath.Join(folder, link)); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"queue/queue", "queue/tmp"} {
		if err := os.MkdirAll(filepath.Join(folder, filepath.FromSlash(name)), 0o755); err != nil {
			return nil, err
		}
	}
	// It reads conf/../mailname.
	if err := os.Mkdir(filepath.Join(folder, "conf"), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, "mailname"), []byte("host.example.test\n"), 0o644); err != nil {
		return nil, err
	}
	return &sendmailProgram{command: program, env: []string{"NULLMAILER_TEST_PREFIX=" + folder}, close: func() {}, count: countFiles(filepath.Join(folder, "queue", "queue"))}, nil
}

// postfixOwnSendmail is Postfix's sendmail with a queue of its own and no daemon.
func postfixOwnSendmail(folder string) (*sendmailProgram, error) {
	const program = "/usr/sbin/sendmail"
	if _, err := os.Stat(postfixMaster); err != nil {
		return nil, fmt.Errorf("no Postfix is installed (Debian's postfix)")
	}
	if os.Getuid() != 0 {
		return nil, fmt.Errorf("only root can use a Postfix with another queue")
	}
	dir := filepath.Join(folder, "relay")
	if err := makeRelayFolders(folder, dir); err != nil {
		return nil, err
	}
	main := fmt.Sprintf("compatibility_level = 3.6\nqueue_directory = %[1]s/spool\ndata_directory = %[1]s/data\nmail_owner = postfix\nsetgid_group = postdrop\nmyhostname = relay.example.test\nmaillog_file = %[1]s/log\nmaillog_file_prefixes = %[1]s\n", dir)
	// Without a daemon that reads from it, Postfix's trigger does nothing.
	if err := syscall.Mkfifo(filepath.Join(dir, "spool", "public", "pickup"), 0o622); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"main.cf": main, "master.cf": ""} {
		if err := os.WriteFile(filepath.Join(dir, "etc", name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return &sendmailProgram{command: program, env: []string{"MAIL_CONFIG=" + filepath.Join(dir, "etc")}, close: func() {}, count: countFiles(filepath.Join(dir, "spool", "maildrop"))}, nil
}
