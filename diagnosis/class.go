package diagnosis

// Class is a kind of failure. The values are stable words, used in JSON and in documents.
type Class string

// Login.
const (
	ClassAuthBadCredentials  Class = "AUTH_BAD_CREDENTIALS"
	ClassAuthNeedAppPassword Class = "AUTH_NEED_APP_PASSWORD"
	ClassAuthServiceDisabled Class = "AUTH_SERVICE_DISABLED"
	ClassAuthBasicDisabled   Class = "AUTH_BASIC_DISABLED"
	ClassAuthAdminPolicy     Class = "AUTH_ADMIN_POLICY"
	ClassAuthNeedWebLogin    Class = "AUTH_NEED_WEB_LOGIN"
	ClassAuthRateLimited     Class = "AUTH_RATE_LIMITED"
	ClassAuthRequired        Class = "AUTH_REQUIRED"
	ClassAuthNoMechanism     Class = "AUTH_NO_MECHANISM"
	ClassAuthTokenRefused    Class = "AUTH_TOKEN_REFUSED"
	ClassAuthConsentNeeded   Class = "AUTH_CONSENT_NEEDED"
	ClassAuthClientRefused   Class = "AUTH_CLIENT_REFUSED"
	ClassAuthServerAway      Class = "AUTH_SERVER_AWAY"
	ClassIPNotAllowed        Class = "IP_NOT_ALLOWED"
	ClassAccountBlocked      Class = "ACCOUNT_BLOCKED"
)

// Connection and encryption.
const (
	ClassTLSRequired        Class = "TLS_REQUIRED"
	ClassWrongTLSMode       Class = "WRONG_TLS_MODE"
	ClassTLSUntrusted       Class = "TLS_UNTRUSTED"
	ClassTLSName            Class = "TLS_NAME"
	ClassTLSExpired         Class = "TLS_EXPIRED"
	ClassTLSPin             Class = "TLS_PIN"
	ClassTLSClientCert      Class = "TLS_CLIENT_CERTIFICATE"
	ClassTLSFailed          Class = "TLS_FAILED"
	ClassStartTLSMissing    Class = "STARTTLS_MISSING"
	ClassCleartextPassword  Class = "CLEARTEXT_PASSWORD"
	ClassTampered           Class = "TAMPERED"
	ClassWrongHost          Class = "WRONG_HOST"
	ClassPortBlocked        Class = "PORT_BLOCKED"
	ClassHostNotFound       Class = "HOST_NOT_FOUND"
	ClassNameLookup         Class = "NAME_LOOKUP"
	ClassNetworkUnreachable Class = "NETWORK_UNREACHABLE"
	ClassProxyFailed        Class = "PROXY_FAILED"
	ClassProxyLogin         Class = "PROXY_LOGIN"
	ClassConnectionRefused  Class = "CONNECTION_REFUSED"
	ClassConnectionLost     Class = "CONNECTION_LOST"
	ClassTimeout            Class = "TIMEOUT"
	ClassCancelled          Class = "CANCELLED"
	ClassProtocolError      Class = "PROTOCOL_ERROR"
	ClassBadHELO            Class = "BAD_HELO"
	ClassTooManyConnections Class = "TOO_MANY_CONNECTIONS"
	ClassPerConnectionLimit Class = "PER_CONNECTION_LIMIT"
	ClassIPReputation       Class = "IP_REPUTATION"
)

// Sender and message.
const (
	ClassSenderMismatch    Class = "SENDER_MISMATCH"
	ClassSenderUnverified  Class = "SENDER_UNVERIFIED"
	ClassFromHeaderInvalid Class = "FROM_HEADER_INVALID"
	ClassMessageMalformed  Class = "MESSAGE_MALFORMED"
	ClassClientBug         Class = "CLIENT_BUG"
	ClassFeatureMissing    Class = "FEATURE_MISSING"
	ClassSMTPUTF8Missing   Class = "SMTPUTF8_MISSING"
	ClassContentUnreadable Class = "CONTENT_UNREADABLE"
	ClassAddressSyntax     Class = "ADDRESS_SYNTAX"
	ClassBadAttachment     Class = "BAD_ATTACHMENT"
	ClassTooLarge          Class = "TOO_LARGE"
	ClassTooManyRecipients Class = "TOO_MANY_RECIPIENTS"
	ClassContentRejected   Class = "CONTENT_REJECTED"
	ClassDomainAuth        Class = "DOMAIN_AUTH"
	ClassAnotherRefused    Class = "ANOTHER_REFUSED"
)

// Recipient.
const (
	ClassRecipientInvalid Class = "RECIPIENT_INVALID"
	ClassRecipientFull    Class = "RECIPIENT_FULL"
	ClassRecipientRejects Class = "RECIPIENT_REJECTS"
	ClassAdminPolicy      Class = "ADMIN_POLICY"
	ClassMailLoop         Class = "MAIL_LOOP"
)

// Limits of the account.
const (
	ClassSenderMailboxFull Class = "SENDER_MAILBOX_FULL"
	ClassRateLimited       Class = "RATE_LIMITED"
	ClassDailyQuota        Class = "DAILY_QUOTA"
)

// Others.
const (
	ClassTemporary        Class = "TEMPORARY"
	ClassAfterAccept      Class = "AFTER_ACCEPT"
	ClassUnknownOutcome   Class = "UNKNOWN_OUTCOME"
	ClassReadPendingReply Class = "READ_PENDING_REPLY"
	ClassUnclassified     Class = "UNCLASSIFIED"
)

// Classes lists all classes, in the order of this file.
func Classes() []Class {
	return []Class{
		ClassAuthBadCredentials, ClassAuthNeedAppPassword, ClassAuthServiceDisabled, ClassAuthBasicDisabled, ClassAuthAdminPolicy, ClassAuthNeedWebLogin, ClassAuthRateLimited, ClassAuthRequired, ClassAuthNoMechanism, ClassAuthTokenRefused, ClassAuthConsentNeeded, ClassAuthClientRefused, ClassAuthServerAway, ClassIPNotAllowed, ClassAccountBlocked,
		ClassTLSRequired, ClassWrongTLSMode, ClassTLSUntrusted, ClassTLSName, ClassTLSExpired, ClassTLSPin, ClassTLSClientCert, ClassTLSFailed, ClassStartTLSMissing, ClassCleartextPassword, ClassTampered, ClassWrongHost, ClassPortBlocked, ClassHostNotFound, ClassNameLookup, ClassNetworkUnreachable, ClassProxyFailed, ClassProxyLogin, ClassConnectionRefused, ClassConnectionLost, ClassTimeout, ClassCancelled, ClassProtocolError, ClassBadHELO, ClassTooManyConnections, ClassPerConnectionLimit, ClassIPReputation,
		ClassSenderMismatch, ClassSenderUnverified, ClassFromHeaderInvalid, ClassMessageMalformed, ClassClientBug, ClassFeatureMissing, ClassSMTPUTF8Missing, ClassContentUnreadable, ClassAddressSyntax, ClassBadAttachment, ClassTooLarge, ClassTooManyRecipients, ClassContentRejected, ClassDomainAuth, ClassAnotherRefused,
		ClassRecipientInvalid, ClassRecipientFull, ClassRecipientRejects, ClassAdminPolicy, ClassMailLoop,
		ClassSenderMailboxFull, ClassRateLimited, ClassDailyQuota,
		ClassTemporary, ClassAfterAccept, ClassUnknownOutcome, ClassReadPendingReply, ClassUnclassified,
	}
}
