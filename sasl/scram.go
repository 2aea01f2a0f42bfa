package sasl

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
)

// maxIterations bounds the work that an unverified server may request: PBKDF2 with this many rounds
// takes a second or two.
const maxIterations = 5_000_000

// scramClient is SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, RFC 7677), with and without channel
// binding.
type scramClient struct {
	name string
	conv *scram.ClientConversation
}

// newScram creates the state machine. nonce replaces the random one, for the test vectors of the
// RFCs; nil otherwise.
func newScram(name string, c Credentials, s Session, nonce func() string) (Mechanism, error) {
	hash := scram.SHA256
	if name == ScramSHA1 || name == ScramSHA1Plus {
		hash = scram.SHA1
	}
	client, err := hash.NewClient(c.Username, c.Password, c.AuthorizationID)
	if err != nil {
		return nil, fmt.Errorf("%s: the user name or password holds characters that SASLprep forbids", name)
	}
	if nonce != nil {
		client.WithNonceGenerator(nonce)
	}
	conv := client.NewConversation()
	switch {
	case strings.HasSuffix(name, "-PLUS"):
		binding, err := channelBinding(s.TLS)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		conv = client.NewConversationWithChannelBinding(binding)
	case s.TLS != nil && !slices.Contains(s.Offered, name+"-PLUS"):
		conv = client.NewConversationAdvertisingChannelBinding()
	}
	return &scramClient{name, conv}, nil
}

// channelBinding returns tls-exporter for TLS 1.3 (RFC 9266) and tls-server-end-point before it
// (RFC 5929).
func channelBinding(state *tls.ConnectionState) (scram.ChannelBinding, error) {
	if state.Version >= tls.VersionTLS13 {
		return scram.NewTLSExporterBinding(state)
	}
	return scram.NewTLSServerEndpointBinding(state)
}

func (m *scramClient) Name() string { return m.name }

func (m *scramClient) Start() ([]byte, error) {
	first, err := m.conv.Step("")
	return []byte(first), err
}

func (m *scramClient) Next(challenge []byte) ([]byte, error) {
	if n := iterations(string(challenge)); n > maxIterations {
		return nil, fmt.Errorf("%s: the server asks for %d iterations, more than %d", m.name, n, maxIterations)
	}
	answer, err := m.conv.Step(string(challenge))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	return []byte(answer), nil
}

// Finish returns an error if the server omitted its signature.
func (m *scramClient) Finish() error {
	if !m.conv.Valid() {
		return ErrServerNotVerified
	}
	return nil
}

// iterations parses i= of a server-first-message; 0 if there is none.
func iterations(challenge string) int {
	for _, field := range strings.Split(challenge, ",") {
		if v, ok := strings.CutPrefix(field, "i="); ok {
			n, err := strconv.Atoi(v)
			if err != nil {
				return maxIterations + 1
			}
			return n
		}
	}
	return 0
}
