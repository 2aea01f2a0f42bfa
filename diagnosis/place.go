package diagnosis

import (
	"fmt"
	"net"
	"strings"
)

// At returns a finding whose advice depends on the server's place: its host as the user wrote it,
// and its port. A server on this machine may be used without encryption, and a certificate is
// valid for names even if an address was dialed.
func (f Finding) At(host string, port int) Finding {
	if info, ok := Describe(f.Class); !ok || f.Advice != info.Advice {
		return f // specific to this failure, wherever the server is
	}
	ip := net.ParseIP(host)
	switch local := strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback(); {
	case local && (f.Class == ClassStartTLSMissing || f.Class == ClassWrongTLSMode):
		url := "smtp+notls://" + host
		if port != 0 {
			url = "smtp+notls://" + net.JoinHostPort(host, fmt.Sprint(port))
		}
		own := Text{EN: fmt.Sprintf("If this server of your own machine does not encrypt, write it as %s.", url),
			ZH: fmt.Sprintf("如果这个本机服务器不加密，请写成 %s。", url)}
		if f.Class == ClassWrongTLSMode { // the other kind of encryption may be the right one
			own.EN, own.ZH = f.Advice.EN+" "+own.EN, f.Advice.ZH+own.ZH
		}
		f.Advice = own
	case ip != nil && f.Class == ClassTLSName:
		f.Advice = Text{EN: "Use the name in the certificate: as the host instead of the address, or use --tls-name NAME (key tls_name).",
			ZH: "请给出证书所对应的名称：用主机名代替地址，或用 --tls-name 名称（配置项 tls_name）。"}
	}
	return f
}
