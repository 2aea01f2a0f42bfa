//go:build interop && linux

package interop

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"text/template"
	"time"
)

// The account of most tests. The password contains characters that have broken
// implementations: the separators of SCRAM, a space, a percent sign.
const (
	login     = "test@example.test"
	password  = "S3cret = with, space%20&more"
	sizeLimit = 64 << 20
)

// logins lists the users of the servers, all with the same password: the one
// that most tests use, and one for each test that reads its Sent folder.
func logins() []string {
	return []string{login, "copies@example.test", "upgraded@example.test", "saving@example.test", "plain@example.test", "sought@example.test"}
}

// accounts are users of every Debian that are not used for anything else here.
// The packages' own users are missing if the packages are only unpacked, and
// Postfix requires different ones for its parts.
type accounts struct{ Postfix, Postdrop, Dovecot, Mail, Nobody string }

func debianAccounts() accounts {
	return accounts{Postfix: "uucp", Postdrop: "proxy", Dovecot: "news", Mail: "mail", Nobody: "nobody"}
}

// service is one of Postfix's ports.
type service struct {
	Name    string
	Port    int
	Options []string
}

// servers are a running Postfix and Dovecot.
type servers struct {
	root string // of the programs, "/" if installed
	dir  string // for everything they write
	mail string // Maildirs, one for each local part
	// port maps each of Postfix's services to its port, and Dovecot's: "lmtp",
	// "imap" (STARTTLS), "imaps" and "submission-dovecot" (STARTTLS).
	port map[string]int

	processes []*process // in order of their start
}

func (s *servers) certificate(name string) string {
	return filepath.Join(s.dir, "certificates", name)
}

// services lists the services: the name contains the TLS mode and the
// certificate.
func services() []service {
	submission := []string{"smtpd_tls_security_level=encrypt", "smtpd_sasl_auth_enable=yes", "smtpd_tls_auth_only=yes"}
	smtps := []string{"smtpd_tls_wrappermode=yes", "smtpd_sasl_auth_enable=yes"}
	with := func(options []string, more ...string) []string {
		return append(append([]string(nil), options...), more...)
	}
	chain := func(name string) string { return "smtpd_tls_chain_files=$certificates/" + name + ".pem" }
	return []service{
		{Name: "submission", Options: submission},
		{Name: "smtps", Options: smtps},
		{Name: "notls", Options: []string{"smtpd_tls_security_level=none", "smtpd_sasl_auth_enable=yes"}},
		{Name: "submission-expired", Options: with(submission, chain("expired"))},
		{Name: "smtps-expired", Options: with(smtps, chain("expired"))},
		{Name: "submission-untrusted", Options: with(submission, chain("untrusted"))},
		{Name: "smtps-untrusted", Options: with(smtps, chain("untrusted"))},
		{Name: "submission-othername", Options: with(submission, chain("othername"))},
		{Name: "smtps-othername", Options: with(smtps, chain("othername"))},
		{Name: "smtps-clientcert", Options: with(smtps, "smtpd_tls_req_ccert=yes", "smtpd_tls_CAfile=$certificates/ca.pem")},
		{Name: "submission-nochunking", Options: with(submission, "smtpd_discard_ehlo_keywords=chunking")},
		{Name: "submission-oauth", Options: with(submission, "smtpd_sasl_path=$servers/"+judgeSocket)},
		// For every local client, with Postfix's default delay after errors.
		{Name: "peer", Options: []string{"smtpd_tls_security_level=none", "mynetworks=127.0.0.0/8",
			"smtpd_client_restrictions=permit_mynetworks,reject", "smtpd_relay_restrictions=permit_mynetworks,reject",
			"smtpd_error_sleep_time=1s"}},
		{Name: "submission-nopipelining", Options: with(submission, "smtpd_discard_ehlo_keywords=chunking,pipelining")},
	}
}

// startServers starts both in a new private directory and returns when each
// port accepts connections. On an error nothing is left running.
func startServers(ctx context.Context, root string) (_ *servers, err error) {
	// Not t.TempDir: Postfix's and Dovecot's parts run under other users and
	// need access to all parent directories.
	dir, err := os.MkdirTemp("", "yan-interop-")
	if err != nil {
		return nil, err
	}
	s := &servers{root: root, dir: dir, mail: filepath.Join(dir, "mail"), port: map[string]int{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, errors.New(s.logs()), s.stop())
		}
	}()
	offered := services()
	dovecot := []string{"lmtp", "imap", "imaps", "submission-dovecot"}
	ports, err := freePorts(len(offered) + len(dovecot))
	if err != nil {
		return s, err
	}
	for i := range offered {
		offered[i].Port = ports[i]
		s.port[offered[i].Name] = ports[i]
	}
	for i, name := range dovecot {
		s.port[name] = ports[len(offered)+i]
	}
	if err := s.prepare(); err != nil {
		return s, fmt.Errorf("prepare the servers: %w", err)
	}
	if err := s.startDovecot(ctx); err != nil {
		return s, err
	}
	return s, s.startPostfix(ctx, offered)
}

// prepare creates the directories that both use.
func (s *servers) prepare() error {
	if err := os.Chmod(s.dir, 0o755); err != nil {
		return err
	}
	certificates := filepath.Join(s.dir, "certificates")
	if err := makeFolders("", certificates); err != nil {
		return err
	}
	if err := makeFolders(debianAccounts().Mail, s.mail); err != nil {
		return err
	}
	return writeCertificates(certificates)
}

// stop ends both, last started first, checks that no process is left, and
// removes their files.
func (s *servers) stop() error {
	var failures []error
	for i := len(s.processes) - 1; i >= 0; i-- {
		failures = append(failures, s.processes[i].stop())
	}
	// Their parts end by themselves, a moment later.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var left map[int]string
	failures = append(failures, poll(ctx, func() (_ bool, err error) {
		if left, err = processesUnder(s.dir); len(left) > 0 {
			err = fmt.Errorf("still running, and killed: %v: %w", left, errNotYet)
		}
		return err == nil, err
	}))
	for id := range left {
		_ = syscall.Kill(id, syscall.SIGKILL) // it may have ended meanwhile
	}
	failures = append(failures, os.RemoveAll(s.dir))
	return errors.Join(failures...)
}

// logs returns the servers' logs, for a failed test.
func (s *servers) logs() string {
	const most = 8 << 10
	var all string
	for _, pattern := range []string{"*/*.log", "*/output"} {
		files, _ := filepath.Glob(filepath.Join(s.dir, pattern)) // the pattern is valid
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				content = []byte(err.Error())
			}
			if len(content) > most {
				content = content[len(content)-most:]
			}
			all += fmt.Sprintf("--- %s\n%s\n", filepath.Base(file), content)
		}
	}
	return all
}

//go:embed testdata/*.tmpl
var templates embed.FS

// render writes a configuration file from its template.
func render(name, file string, data any) error {
	parsed, err := template.ParseFS(templates, "testdata/"+name+".tmpl")
	if err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(parsed.Option("missingkey=error").Execute(out, data), out.Close())
}

// makeFolders creates directories owned by an account; "" is root.
func makeFolders(account string, folders ...string) error {
	uid, gid := 0, 0
	if account != "" {
		var err error
		if uid, gid, err = ids(account); err != nil {
			return err
		}
	}
	for _, folder := range folders {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := os.Chown(folder, uid, gid); err != nil {
			return err
		}
	}
	return nil
}

func ids(account string) (uid, gid int, err error) {
	found, err := user.Lookup(account)
	if err != nil {
		return 0, 0, err
	}
	uid, err = strconv.Atoi(found.Uid)
	if err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(found.Gid)
	return uid, gid, err
}

// tokenKey is the key with which Dovecot verifies bearer tokens.
const tokenKey = "a key of the interop tests, 32 octets or more"

// bearerToken returns a JSON web token (RFC 7519) for the account, valid for an
// hour.
func bearerToken(secret string) string {
	encode := base64.RawURLEncoding.EncodeToString
	now := time.Now().Unix()
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT","kid":"interop"}`)) + "." +
		encode(fmt.Appendf(nil, `{"sub":%q,"email":%q,"iat":%d,"exp":%d}`, login, login, now-60, now+3600))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}
