// Package selfca makes a small certificate authority (CA) and a certificate for an SMTP listener. The
// CA may sign only the names of its first certificate, so that a client that trusts it trusts nothing
// else.
package selfca

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
)

// Issued are the files of a certificate.
type Issued struct {
	CA, CAKey        string // paths; clients need the first
	Certificate, Key string
	Names            []string
	NewCA            bool // the CA was made now: clients must be told to trust it
	NotAfter         time.Time
}

// How long the certificates are valid. Apple's systems refuse those of servers that are valid for
// more than 825 days.
const (
	authorityAge   = 10 * 365 * 24 * time.Hour
	certificateAge = 800 * 24 * time.Hour
	// early tolerates clients whose clocks are slow.
	early = 24 * time.Hour
	// minLeft is how long the CA must live longer than a certificate that it signs.
	minLeft = 24 * time.Hour
)

var (
	// ErrNames: the CA may not sign one of the names.
	ErrNames = localerr.New("the CA in this folder was made for other names")
	// ErrAuthority: the files of the CA can't be used.
	ErrAuthority = localerr.New("the CA in this folder can't be used")
)

// maxFile limits the files that are read, in octets.
const maxFile = 64 << 10

// Issue makes a certificate in the folder dir. Names are host names and IP addresses. A new CA is made
// for the required names and for further ones; the CA that is there already signs all of its names
// again, and the error is ErrNames if a required one is not among them. If root runs it, the key of
// the certificate gets the owner and group of the file like.
func Issue(ctx context.Context, dir, like string, required, further []string, now time.Time) (Issued, error) {
	i := Issued{CA: filepath.Join(dir, "ca.pem"), CAKey: filepath.Join(dir, "ca-key.pem"),
		Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), NotAfter: now.Add(certificateAge)}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return i, err
	}
	hosts, addresses := splitNames(slices.Concat(required, further))
	ca, caKey, err := readAuthority(ctx, i)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		i.NewCA = true
		ca, caKey, err = i.makeAuthority(hosts, addresses, now)
	case err == nil:
		hosts, addresses, err = namesOf(ca, required)
	}
	if err != nil {
		return i, err
	}
	i.Names = slices.Clone(hosts)
	for _, ip := range addresses {
		i.Names = append(i.Names, ip.String())
	}
	if ca.NotAfter.Before(i.NotAfter.Add(minLeft)) {
		i.NotAfter = ca.NotAfter.Add(-minLeft)
	}
	return i, i.makeCertificate(ca, caKey, hosts, addresses, like, now)
}

// namesOf returns the names for which a CA was made; the required ones must be among them.
func namesOf(ca *x509.Certificate, required []string) (hosts []string, addresses []net.IP, err error) {
	hosts = ca.PermittedDNSDomains
	for _, n := range ca.PermittedIPRanges {
		addresses = append(addresses, n.IP)
	}
	if len(hosts)+len(addresses) == 0 {
		return nil, nil, ErrAuthority // another CA
	}
	needHosts, needAddresses := splitNames(required)
	for _, host := range needHosts {
		if !slices.Contains(hosts, host) {
			return nil, nil, ErrNames
		}
	}
	for _, ip := range needAddresses {
		if !slices.ContainsFunc(addresses, ip.Equal) {
			return nil, nil, ErrNames
		}
	}
	return hosts, addresses, nil
}

// splitNames returns the host names and the IP addresses of a list, each once.
func splitNames(names []string) (hosts []string, addresses []net.IP) {
	for _, name := range names {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if ip := net.ParseIP(name); ip != nil {
			if !slices.ContainsFunc(addresses, ip.Equal) {
				addresses = append(addresses, ip)
			}
		} else if name != "" && !slices.Contains(hosts, name) {
			hosts = append(hosts, name)
		}
	}
	return hosts, addresses
}

// readAuthority reads the CA of the folder; the error is fs.ErrNotExist if there is none.
func readAuthority(ctx context.Context, i Issued) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	keyText, keyErr := atomicfile.Read(ctx, i.CAKey, maxFile)
	text, err := atomicfile.Read(ctx, i.CA, maxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) && errors.Is(keyErr, fs.ErrNotExist):
		return nil, nil, fs.ErrNotExist
	case err != nil || keyErr != nil: // half of it is there
		return nil, nil, errors.Join(ErrAuthority, withoutNotExist(err), withoutNotExist(keyErr))
	}
	block, _ := pem.Decode(text)
	keyBlock, _ := pem.Decode(keyText)
	if block == nil || keyBlock == nil {
		return nil, nil, ErrAuthority
	}
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, localerr.Errorf("%w: %w", ErrAuthority, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	own, ok := key.(*ecdsa.PrivateKey)
	if err != nil || !ok || !own.PublicKey.Equal(ca.PublicKey) {
		return nil, nil, ErrAuthority
	}
	return ca, own, nil
}

// withoutNotExist hides fs.ErrNotExist, which means that there is no CA at all.
func withoutNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return localerr.New("one of its two files is missing")
	}
	return err
}

// makeAuthority makes a CA whose certificates may have these names only. The constraint is not marked
// as critical: clients that do not know it would refuse the CA.
func (i Issued) makeAuthority(hosts []string, addresses []net.IP, now time.Time) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, serial, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "yan serve on " + firstName(hosts, addresses)},
		NotBefore: now.Add(-early), NotAfter: now.Add(authorityAge), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, PermittedDNSDomains: hosts,
	}
	for _, ip := range addresses {
		bits := 8 * len(plainIP(ip))
		template.PermittedIPRanges = append(template.PermittedIPRanges, &net.IPNet{IP: plainIP(ip), Mask: net.CIDRMask(bits, bits)})
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	keyText, err := keyPEM(key)
	if err != nil {
		return nil, nil, err
	}
	if err := atomicfile.Write(i.CAKey, keyText, 0o600); err != nil {
		return nil, nil, err
	}
	return ca, key, atomicfile.Write(i.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

func firstName(hosts []string, addresses []net.IP) string {
	if len(hosts) > 0 {
		return hosts[0]
	}
	if len(addresses) > 0 {
		return addresses[0].String()
	}
	return "localhost"
}

func plainIP(ip net.IP) net.IP {
	if four := ip.To4(); four != nil {
		return four
	}
	return ip
}

// makeCertificate writes the key and then the certificate.
func (i Issued) makeCertificate(ca *x509.Certificate, caKey *ecdsa.PrivateKey, hosts []string, addresses []net.IP, like string, now time.Time) error {
	key, serial, err := newKey()
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: firstName(hosts, addresses)}, DNSNames: hosts, IPAddresses: addresses,
		NotBefore: now.Add(-early), NotAfter: i.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, &key.PublicKey, caKey)
	if err != nil {
		return err
	}
	if err := verify(ca, der, now); err != nil {
		return err
	}
	keyText, err := keyPEM(key)
	if err != nil {
		return err
	}
	written, err := atomicfile.WriteTemp(i.Key, keyText, 0o600)
	if err != nil {
		return err
	}
	if err = atomicfile.OwnLike(written, like); err == nil {
		err = os.Rename(written, i.Key)
	}
	if err != nil {
		_ = os.Remove(written) // err says more
		return err
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw})...)
	return atomicfile.Write(i.Certificate, text, 0o644)
}

// verify reports whether a client that trusts the CA would accept a certificate.
func verify(ca *x509.Certificate, der []byte, now time.Time) error {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	_, err = leaf.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: now})
	if err != nil {
		return localerr.Errorf("%w: %w", ErrAuthority, err)
	}
	return nil
}

func newKey() (*ecdsa.PrivateKey, *big.Int, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return key, serial, err
}

func keyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
