//go:build interop && linux

package interop

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// startDovecot starts the message store and the authentication server. Its
// socket for Postfix is dovecot/run/auth-client in the servers' directory.
func (s *servers) startDovecot(ctx context.Context) error {
	dir := filepath.Join(s.dir, "dovecot")
	keys := filepath.Join(dir, "keys", "default", "HS256")
	if err := makeFolders("", dir, filepath.Join(dir, "run"), keys); err != nil {
		return fmt.Errorf("prepare Dovecot: %w", err)
	}
	data := struct {
		Dir, Mail, Certificates string
		Accounts                accounts
		LMTP, IMAP, IMAPS       int
		Submission, Relay       int
	}{dir, s.mail, filepath.Join(s.dir, "certificates"), debianAccounts(), s.port["lmtp"], s.port["imap"], s.port["imaps"],
		s.port["submission-dovecot"], s.port["peer"]}
	for _, name := range []string{"dovecot.conf", "oauth2.conf"} {
		if err := render(name, filepath.Join(dir, name), data); err != nil {
			return fmt.Errorf("configure Dovecot: %w", err)
		}
	}
	var passwd strings.Builder
	for _, name := range logins() {
		fmt.Fprintf(&passwd, "%s:{PLAIN}%s\n", name, password)
	}
	for file, content := range map[string]string{
		filepath.Join(dir, "passwd"):   passwd.String(),
		filepath.Join(keys, "interop"): base64.StdEncoding.EncodeToString([]byte(tokenKey)),
	} {
		// Dovecot's authentication server runs under its own user.
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return fmt.Errorf("configure Dovecot: %w", err)
		}
	}
	p, err := startProcess("dovecot", s.root, filepath.Join(dir, "output"),
		"/usr/sbin/dovecot", "-F", "-c", filepath.Join(dir, "dovecot.conf"))
	if err != nil {
		return err
	}
	s.processes = append(s.processes, p)
	for _, name := range []string{"lmtp", "imap", "imaps", "submission-dovecot"} {
		if err := p.waitForPort(ctx, s.port[name]); err != nil {
			return err
		}
	}
	return nil
}
