package accounts

import (
	"github.com/yanmail/yan/provider"
)

// SenderRule describes the sender addresses that a provider allows; "" if they are not known.
func (a *Accounts) SenderRule(r provider.SenderRule) string {
	switch r {
	case provider.MustEqualLogin:
		return a.T("the sender must be the login address")
	case provider.MustEqualLoginOrSendAs:
		return a.T("the sender must be the login address, or one it may send as")
	case provider.VerifiedIdentity:
		return a.T("the sender must be verified in the provider's console")
	case provider.AliasOK:
		return a.T("the sender may also be an alias of the login address")
	}
	return ""
}
