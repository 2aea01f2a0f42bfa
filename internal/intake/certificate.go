package intake

import (
	"crypto/tls"
	"log/slog"
	"os"
	"time"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
)

// ErrCertificate: certificate or key of [listen.smtp] can't be used.
var ErrCertificate = localerr.New("the certificate of [listen.smtp] can't be used")

// expiresSoon is how long before its end a certificate is warned of.
const expiresSoon = 21 * 24 * time.Hour

// loadCertificate reads a certificate and its key, which no other user may be able to read.
func loadCertificate(certificate, key string, log *slog.Logger) (*tls.Config, error) {
	info, err := os.Stat(key)
	if err == nil {
		err = atomicfile.PrivateKey(key, info)
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(certificate, key)
	}
	if err != nil {
		return nil, localerr.Errorf("%w: %w", ErrCertificate, err)
	}
	switch left := time.Until(pair.Leaf.NotAfter); {
	case left <= 0: // clients that verify it refuse it; devices that do not still work
		log.Error("the certificate of [listen.smtp] has expired", slog.Time("on", pair.Leaf.NotAfter))
	case left < expiresSoon:
		log.Warn("the certificate of [listen.smtp] expires soon", slog.Time("on", pair.Leaf.NotAfter))
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
