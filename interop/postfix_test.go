//go:build interop && linux

package interop

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// startPostfix starts the submission services. It runs Postfix's master
// directly, in the foreground: the "postfix" command would use /etc and detach.
func (s *servers) startPostfix(ctx context.Context, offered []service) error {
	dir := filepath.Join(s.dir, "postfix")
	if err := s.configurePostfix(dir, offered); err != nil {
		return fmt.Errorf("configure Postfix: %w", err)
	}
	p, err := startProcess("postfix", s.root, filepath.Join(dir, "output"),
		"/usr/lib/postfix/sbin/master", "-c", filepath.Join(dir, "etc"))
	if err != nil {
		return err
	}
	s.processes = append(s.processes, p)
	for _, o := range offered {
		if err := p.waitForPort(ctx, o.Port); err != nil {
			return err
		}
	}
	return nil
}

func (s *servers) configurePostfix(dir string, offered []service) error {
	if err := makeQueue(dir); err != nil {
		return err
	}
	who := debianAccounts()
	uid, gid, err := ids(who.Mail)
	if err != nil {
		return err
	}
	certificates := filepath.Join(s.dir, "certificates")
	folders := strings.NewReplacer("$certificates", certificates, "$servers", s.dir)
	for i := range offered {
		for j, option := range offered[i].Options {
			offered[i].Options[j] = folders.Replace(option)
		}
	}
	data := struct {
		Dir, Mail, Certificates, AuthSocket string
		Accounts                            accounts
		LMTP, UID, GID, SizeLimit           int
		Services                            []service
	}{
		dir, s.mail, certificates, filepath.Join(s.dir, "dovecot", "run", "auth-client"),
		who, s.port["lmtp"], uid, gid, sizeLimit, offered,
	}
	etc := filepath.Join(dir, "etc")
	for _, name := range []string{"main.cf", "master.cf"} {
		if err := render(name, filepath.Join(etc, name), data); err != nil {
			return err
		}
	}
	for name, table := range map[string]string{
		"mailboxes": "/^/ utf8/\n",
		"transport": "/@utf8\\.example\\.test$/ virtual:\n",
		"headers":   "/^X-Refuse:/ REJECT this message is refused\n",
		"recipients": "/^reject-/ 550 5.1.1 User unknown in virtual mailbox table\n" +
			"/^defer-/ 450 4.2.0 Try again later\n" +
			"/^full-/ 452 4.2.2 Mailbox full\n" +
			"/^drop-/ 421 4.3.2 Closing connection\n",
	} {
		if err := os.WriteFile(filepath.Join(etc, name), []byte(table), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// makeQueue creates the directories that "postfix check" would create, with the
// owners that Postfix's parts expect.
func makeQueue(dir string) error {
	spool := filepath.Join(dir, "spool")
	under := func(names ...string) []string {
		for i := range names {
			names[i] = filepath.Join(spool, names[i])
		}
		return names
	}
	if err := makeFolders("", append(under("pid"), dir, filepath.Join(dir, "etc"), spool)...); err != nil {
		return err
	}
	return makeFolders(debianAccounts().Postfix, append(under("active", "bounce", "corrupt", "defer", "deferred",
		"flush", "hold", "incoming", "maildrop", "private", "public", "saved", "trace"), filepath.Join(dir, "data"))...)
}
