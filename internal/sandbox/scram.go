package sandbox

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/xdg-go/scram"
)

// scramIterations is the minimum of RFC 7677 section 4.
const scramIterations = 4096

// scram implements RFC 5802 and RFC 7677, with the channel bindings
// tls-exporter (RFC 9266) and tls-server-end-point (RFC 5929).
func (x *saslExchange) scram() (string, error) {
	s := x.session
	base, plus := strings.CutSuffix(x.mechanism, "-PLUS")
	hash := scram.SHA256
	if base == "SCRAM-SHA-1" {
		hash = scram.SHA1
	}
	server, err := hash.NewServer(func(user string) (scram.StoredCredentials, error) {
		return s.storedCredentials(hash, user)
	})
	if err != nil {
		return "", fmt.Errorf("start scram: %w", err)
	}
	clientFirst, err := x.initialResponse()
	if err != nil {
		return "", err
	}
	conversation, err := s.scramConversation(server, clientFirst, plus)
	if err != nil {
		return "", err
	}
	serverFirst, err := conversation.Step(clientFirst)
	if err != nil {
		s.remark("scram: " + err.Error())
		return conversation.Username(), errCredentials
	}
	clientFinal, err := x.askChallenge(serverFirst)
	if err != nil {
		return conversation.Username(), err
	}
	serverFinal, err := conversation.Step(clientFinal)
	if err != nil || !conversation.Valid() {
		return conversation.Username(), errCredentials
	}
	// The client answers the server's signature with an empty line (RFC 4954
	// section 4), because a 235 carries no data.
	if _, err := x.askChallenge(serverFinal); err != nil {
		return conversation.Username(), err
	}
	return conversation.Username(), nil
}

// scramConversation checks the client's choice of a channel binding against the
// mechanism.
func (s *serverSession) scramConversation(server *scram.Server, clientFirst string, plus bool) (*scram.ServerConversation, error) {
	kind, binds := strings.CutPrefix(clientFirst, "p=")
	kind, _, _ = strings.Cut(kind, ",")
	if binds != plus {
		return nil, fmt.Errorf("%w: the -PLUS mechanism and a channel binding belong together", errDecode)
	}
	if !plus {
		if s.offersPlus() && strings.HasPrefix(clientFirst, "y,") {
			return nil, fmt.Errorf("%w: the client says that no -PLUS was offered, but it was", errDecode)
		}
		return server.NewConversation(), nil
	}
	binding, err := s.channelBinding(scram.ChannelBindingType(kind))
	if err != nil {
		s.remark("scram: " + err.Error())
		return nil, errCredentials
	}
	return server.NewConversationWithChannelBindingRequired(binding), nil
}

func (s *serverSession) offersPlus() bool {
	for _, m := range s.offer.caps.Auth() {
		if strings.HasSuffix(m, "-PLUS") {
			return true
		}
	}
	return false
}

func (s *serverSession) channelBinding(kind scram.ChannelBindingType) (scram.ChannelBinding, error) {
	if s.state == nil {
		return scram.ChannelBinding{}, fmt.Errorf("channel binding %q without TLS", kind)
	}
	switch kind {
	case scram.ChannelBindingTLSExporter:
		return scram.NewTLSExporterBinding(s.state)
	case scram.ChannelBindingTLSServerEndpoint:
		// The library expects the certificate as the client sees it.
		return scram.NewTLSServerEndpointBinding(&tls.ConnectionState{
			PeerCertificates: []*x509.Certificate{s.server.leaf.Leaf}})
	}
	return scram.ChannelBinding{}, fmt.Errorf("channel binding %q is not known", kind)
}

func (s *serverSession) storedCredentials(hash scram.HashGeneratorFcn, user string) (scram.StoredCredentials, error) {
	secret, ok := s.secretOf(user)
	if !ok {
		return scram.StoredCredentials{}, errCredentials
	}
	client, err := hash.NewClientUnprepped(user, secret, "")
	if err != nil {
		return scram.StoredCredentials{}, fmt.Errorf("derive the keys of %s: %w", user, err)
	}
	return client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: rand.Text(), Iters: scramIterations})
}
