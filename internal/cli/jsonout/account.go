package jsonout

// Import is what account import prints as JSON.
type Import struct {
	Program  string   `json:"program"`
	Files    []string `json:"files"`
	Accounts []Found  `json:"accounts"`
	Notes    []Note   `json:"notes"`
}

// Found is an account that import found.
type Found struct {
	Name    string `json:"name"`
	From    string `json:"from,omitempty"`
	Server  string `json:"server"`
	User    string `json:"user,omitempty"`
	Secret  string `json:"secret"` // "password", "command", "netrc" or "none"
	Default bool   `json:"default"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Kept    bool   `json:"kept"`
	Notes   []Note `json:"notes"`
}

// Note has the words of foreign.Reason.
type Note struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Setting string `json:"setting,omitempty"`
	Reason  string `json:"reason"`
	Detail  string `json:"detail,omitempty"`
	Count   int    `json:"count,omitempty"`
}

// AccountTest is what --json prints for each account.
type AccountTest struct {
	Account   string     `json:"account"`
	OK        bool       `json:"ok"`
	Exit      int        `json:"exit"`
	Server    string     `json:"server"`
	User      string     `json:"user,omitempty"`
	From      string     `json:"from"`
	Stage     string     `json:"stage"`
	Code      int        `json:"code,omitempty"`
	Text      string     `json:"text,omitempty"`
	Error     string     `json:"error,omitempty"`
	Took      int64      `json:"took_ms"`
	Diagnosis *Diagnosis `json:"diagnosis,omitempty"`
}

// Settings is an account as list, show and config show print it.
type Settings struct {
	Name      string            `json:"name"`
	Default   bool              `json:"default"`
	From      string            `json:"from"`
	Match     []string          `json:"match,omitempty"`
	Server    string            `json:"server"`
	Provider  string            `json:"provider,omitempty"`
	User      string            `json:"user,omitempty"`
	Auth      string            `json:"auth,omitempty"`
	Secret    Secret            `json:"secret"`
	OAuth2    *OAuth2           `json:"oauth2,omitempty"`
	Fallback  string            `json:"fallback,omitempty"`
	Signature string            `json:"signature,omitempty"`
	SignFile  string            `json:"signature_file,omitempty"`
	ReplyTo   string            `json:"reply_to,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	SaveSent  string            `json:"save_sent"`
	IMAP      string            `json:"imap,omitempty"`
	Sent      string            `json:"sent_folder,omitempty"`
	TLSCA     string            `json:"tls_ca,omitempty"`
	TLSPin    string            `json:"tls_pin,omitempty"`
	TLSCert   string            `json:"tls_cert,omitempty"`
	TLSKey    string            `json:"tls_key,omitempty"`
	TLSName   string            `json:"tls_name,omitempty"`
	TLSRSA    bool              `json:"tls_rsa_key_exchange,omitempty"`
	Cleartext bool              `json:"allow_cleartext_password,omitempty"`
	Proxy     string            `json:"proxy,omitempty"`
	LocalName string            `json:"local_name,omitempty"`
	LockStep  bool              `json:"no_pipelining,omitempty"`
	Pipeline  string            `json:"pipeline_messages,omitempty"`
	Conns     int               `json:"connections,omitempty"`
	Pace      string            `json:"pace,omitempty"`
	InDoubt   string            `json:"in_doubt,omitempty"`
	Timeout   float64           `json:"timeout_seconds,omitempty"`
	DKIM      string            `json:"dkim_selector,omitempty"`
	SetFrom   string            `json:"set_from,omitempty"`
	Inherited []string          `json:"inherited,omitempty"`
}

// Secret says where a secret is, never what it is.
type Secret struct {
	Kind  string `json:"kind"`            // "kept", "command", "file", "env", "netrc", "credential", "oauth2" or "none"
	Place string `json:"place,omitempty"` // the file, variable, …
	State string `json:"state,omitempty"` // of yan account show
}

// OAuth2 is the registration without its secret.
type OAuth2 struct {
	ClientID string   `json:"client_id"`
	Tenant   string   `json:"tenant,omitempty"`
	Scopes   []string `json:"scopes,omitempty"`
}

// Config is what config show prints as JSON.
type Config struct {
	Path     string `json:"path"`
	Exists   bool   `json:"exists"`
	Version  int    `json:"version"`
	Default  string `json:"default,omitempty"`
	Accounts []any  `json:"accounts"` // each a settingsJSON
}

// Check is what config check prints as JSON.
type Check struct {
	Path     string    `json:"path"`
	OK       bool      `json:"ok"`
	Accounts []string  `json:"accounts"`
	Problems []Problem `json:"problems"`
}

// Problem is a finding of config check.
type Problem struct {
	Severity string `json:"severity"` // "error" or "warning"
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Account  string `json:"account,omitempty"`
	Key      string `json:"key,omitempty"`
	Fault    string `json:"fault,omitempty"` // of account.ParseError
	Text     string `json:"text"`
}

// Account is what --json prints.
type Account struct {
	Event   string `json:"event"` // "account"
	Name    string `json:"name"`
	From    string `json:"from"`
	Server  string `json:"server"`
	User    string `json:"user"`
	Secret  string `json:"secret"` // "keyring", "encrypted file", "file", "command", …
	OAuth2  bool   `json:"oauth2"`
	Checked bool   `json:"checked"`
	Default bool   `json:"default"`
	Config  string `json:"config"`
}
