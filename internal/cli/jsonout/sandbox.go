package jsonout

// Received is a message in the output of yan sandbox.
type Received struct {
	Event   string   `json:"event"` // "message"
	ID      string   `json:"id"`
	Login   string   `json:"login"`
	TLS     bool     `json:"tls"`
	From    string   `json:"from"`
	To      []string `json:"to"`
	Size    int      `json:"size"`
	Subject string   `json:"subject"`
}

// Ready is the first line of yan sandbox.
type Ready struct {
	Event      string `json:"event"` // "ready"
	Profile    string `json:"profile"`
	Submission string `json:"submission"`
	TLS        string `json:"tls"`
	LMTP       string `json:"lmtp,omitempty"`
	CA         string `json:"ca"`
	Login      string `json:"login"`
	Password   string `json:"password"`
	URL        string `json:"url"`
}
