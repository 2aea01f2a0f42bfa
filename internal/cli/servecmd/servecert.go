package servecmd

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"time"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/intake/selfca"
	"github.com/yanmail/yan/internal/localerr"
)

// issueCertificate makes a certificate for the SMTP listener, and prints how clients are told to trust
// it.
func (a *serveCommand) issueCertificate(ctx context.Context, s *serveFlags) error {
	f, err := a.FaultyConfiguration()
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(s.smtpCert)
	if err != nil {
		return command.InternalFailure("the path of the certificate", err)
	}
	further, err := a.listenerNames(s, f)
	if err != nil {
		return err
	}
	i, err := selfca.Issue(ctx, dir, f.Path(), s.smtpNames, further, time.Now())
	switch {
	case errors.Is(err, selfca.ErrNames):
		return command.Fail(command.ExitConfig, err, a.T("Move %s and %s away to make a new CA, which clients must then be told to trust.", command.QuoteName(i.CA), command.QuoteName(i.CAKey)))
	case errors.Is(err, selfca.ErrAuthority):
		return command.Fail(command.ExitConfig, err, a.T("Restore %s and %s, or move both away to make a new CA.", command.QuoteName(i.CA), command.QuoteName(i.CAKey)))
	case err != nil:
		return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("can't write the certificate"), err), "")
	}
	a.printCertificate(i, f)
	return nil
}

// listenerNames returns the names, beside those of --smtp-name, by which clients may reach the listener.
func (a *serveCommand) listenerNames(s *serveFlags, f *account.File) ([]string, error) {
	for _, name := range s.smtpNames {
		if net.ParseIP(name) == nil && !isHostName(name) {
			return nil, a.Wrongf("%s %q: want a host name or an IP address", a.Name("smtp-name"), name)
		}
	}
	var names []string
	system, _, _ := accountroute.SystemNames() // the names are right in any case
	for _, host := range system.Hosts {
		if isHostName(host) {
			names = append(names, host)
		}
	}
	address := s.smtp
	if l, ok := f.ListenSMTP(); ok && address == "" {
		address = l.Address
	}
	if address != "" {
		var err error
		if address, err = account.ListenAddress(address); err != nil {
			return nil, a.Wrongf("%s %v", a.Name("smtp"), err)
		}
	}
	host, _, _ := net.SplitHostPort(address)
	switch ip := net.ParseIP(host); {
	case ip == nil || ip.IsUnspecified():
		names = append(names, machineAddresses()...)
	default:
		names = append(names, host)
	}
	return append(names, "localhost", "127.0.0.1", "::1"), nil
}

func isHostName(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 253
}

// machineAddresses returns the addresses at which other machines can reach this one.
func machineAddresses() []string {
	var list []string
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil // the names remain
	}
	for _, address := range addresses {
		if n, ok := address.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			list = append(list, n.IP.String())
		}
	}
	return list
}

// printCertificate prints the files, the lines of the configuration, and what each kind of client
// needs.
func (a *serveCommand) printCertificate(i selfca.Issued, f *account.File) {
	done := a.T("Certificate renewed until %s.", i.NotAfter.Format(time.DateOnly))
	if i.NewCA {
		done = a.T("Certificate made; it is valid until %s.", i.NotAfter.Format(time.DateOnly))
	}
	a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), done)
	a.Outf("  %s\n\n", a.T("names: %s", a.Listed(i.Names)))
	a.Outf("%s\n\n", a.T("In %s:", command.QuoteName(f.Path())))
	a.Outf("  [listen.smtp]\n  certificate = %q\n  key = %q\n\n", i.Certificate, i.Key)
	if !i.NewCA {
		a.Outf("%s\n", a.T("Clients trust it already. A running 'yan serve' uses it after a reload."))
		return
	}
	a.Outf("%s\n\n", a.T("Clients must be told once to trust %s, which is not secret:", command.QuoteName(i.CA)))
	width := 0
	rows := a.trustSteps(filepath.Base(i.CA))
	for _, row := range rows {
		width = max(width, console.Columns(row.Term))
	}
	for _, row := range rows {
		a.Outf("  %s  %s\n", console.Pad(row.Term, width), row.Text)
	}
	a.Outf("\n%s\n", console.WrapIndented(a.T("Renew it with the same command before it expires; clients need not be changed then. Keep %s secret: with it, others can pretend to be this listener.", command.QuoteName(i.CAKey)), "", a.StdoutWidth))
}

// trustSteps returns how each kind of client is told to trust a CA.
func (a *serveCommand) trustSteps(ca string) []command.ListEntry {
	return []command.ListEntry{
		{Term: "Debian, Ubuntu", Text: "cp " + ca + " /usr/local/share/ca-certificates/yan.crt && update-ca-certificates"},
		{Term: "Fedora, RHEL", Text: "cp " + ca + " /etc/pki/ca-trust/source/anchors/yan.pem && update-ca-trust"},
		{Term: "macOS", Text: "security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain " + ca},
		{Term: "Windows", Text: "certutil -addstore Root " + ca},
		{Term: "Java", Text: "keytool -importcert -cacerts -alias yan -file " + ca},
		{Term: "Node.js", Text: "NODE_EXTRA_CA_CERTS=/path/" + ca},
		{Term: "PHP, Python, Ruby, Go, curl", Text: a.T("they trust the system's authorities, see above")},
		{Term: a.T("scanners"), Text: a.T("import it on the page for certificates of the device")},
	}
}
