package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// buildCommand builds yan like a release.
func buildCommand(ctx context.Context, folder string) (string, error) {
	path := filepath.Join(folder, "yan")
	build := exec.CommandContext(ctx, "go", "build", "-C", "..", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/yan")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build yan: %w: %s", err, out)
	}
	return path, nil
}

// startRows measures commands from the start of the process to its end, with one
// small message to a sink on loopback.
func (c *course) startRows() []experiment {
	var all []experiment
	absent := mergeAbsent(absentFor(noCommand, gomailName, netsmtp, gosmtpName, nodemailer), absentFor(noLoadMaker, smtpsource))
	for _, protection := range []protection{inClear, startTLS} {
		name := fmt.Sprintf("a command with one small message, loopback, %s", protection)
		if protection != inClear {
			name += " + AUTH"
		}
		all = append(all, experiment{
			rows:   []reportRow{{ID: "start/" + string(protection), Name: name, Unit: "ms"}},
			guests: []string{curl, msmtp},
			absent: absent,
			measure: func(ctx context.Context, who string) ([]float64, error) {
				var times []float64
				for range c.sizes.starts {
					took, err := c.startOnce(ctx, who, protection)
					if err != nil {
						return nil, err
					}
					times = append(times, took*1000)
				}
				return []float64{newFigure(times).Median}, nil
			},
		})
	}
	return all
}

func (c *course) startOnce(ctx context.Context, who string, protection protection) (seconds float64, err error) {
	s := c.servers[pipelining]
	o := c.newOrder(1, 1, 0)
	o.Text = "One line.\r\n"
	m := o.mail(o.First)
	p := destination{Address: s.address(protection), Security: protection}
	command, err := c.startCommand(ctx, who, p, m)
	if err != nil {
		return 0, err
	}
	var said bytes.Buffer
	command.Stderr = &said
	begun := time.Now()
	err = command.Run()
	took := time.Since(begun)
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, said.Bytes())
	}
	arrived, err := c.gatherArrivals(ctx, s, 1)
	if err != nil {
		return 0, err
	}
	return took.Seconds(), checkAnswers(who, s, arrived, []order{o}, []workerAnswer{{Sent: 1}})
}

// startCommand returns the command line that sends m. yan composes it; the
// others get it composed.
func (c *course) startCommand(ctx context.Context, who string, p destination, m mail) (*exec.Cmd, error) {
	host, port, err := p.split()
	if err != nil {
		return nil, err
	}
	if who == ours {
		server := "smtp+notls://" + p.Address
		arguments := []string{"send", "-q", "-f", m.from, "-t", m.to[0], "-s", m.subject, "-b", m.text}
		command := exec.CommandContext(ctx, c.command)
		command.Env = os.Environ()
		if p.Security != inClear {
			server = "smtp://" + p.Address
			arguments = append(arguments, "--tls-ca", authorityFile(c.folder))
			command.Env = append(command.Env, "YAN_PASSWORD="+password)
		}
		command.Args = append(command.Args, append(arguments, "--server", server)...)
		return command, nil
	}
	var composed bytes.Buffer
	if err := writeByHand(&composed, m); err != nil {
		return nil, err
	}
	if who == curl {
		file := filepath.Join(c.folder, "message.eml")
		arguments := []string{"-sS", "--url", "smtp://" + p.Address, "--mail-from", m.from, "--mail-rcpt", m.to[0], "--upload-file", file}
		if p.Security != inClear {
			arguments = append(arguments, "--ssl-reqd", "--cacert", authorityFile(c.folder), "--user", userName+":"+password)
		}
		return c.tools[curl].command(ctx, arguments...), os.WriteFile(file, composed.Bytes(), 0o600)
	}
	settings := filepath.Join(c.folder, "msmtprc")
	text := fmt.Sprintf("host %s\nport %d\nfrom %s\ndomain localhost\n", host, port, m.from)
	if p.Security != inClear {
		text += fmt.Sprintf("tls on\ntls_starttls on\ntls_trust_file %s\nauth plain\nuser %s\npassword %s\n",
			authorityFile(c.folder), userName, strconv.Quote(password))
	}
	command := c.tools[msmtp].command(ctx, "-C", settings, m.to[0])
	command.Stdin = bytes.NewReader(composed.Bytes())
	return command, os.WriteFile(settings, []byte(text), 0o600)
}
