package account

// Setting is a key of an account with its value, for display. It holds no secret.
type Setting struct {
	Key   string // of the configuration: "tls_pin"
	Label Label  // "" if it is shown together with another key
	// Text is the value for people; "" if it has none, and always for secret.
	Text string
	// Inherited: the value comes from [defaults].
	Inherited bool
	// JSONName and JSON are the value for programs. JSON is nil for keys that are tables, and
	// typed even if it is zero; Always says that it is shown then, too.
	JSONName string
	JSON     any
	Always   bool
}

// Settings returns all keys of an account of the file, in the order of [Keys].
func (f *File) Settings(a Account) []Setting {
	defaults, none := f.New(a.Name), Account{Name: a.Name, SaveSent: SaveNever}
	list := make([]Setting, len(f.ownSchema().keys))
	for i, k := range f.ownSchema().keys {
		s := Setting{Key: k.name, Label: k.label, Text: k.text(a), JSONName: k.name, Always: k.alwaysJSON}
		s.Inherited = s.Text != "" && s.Text == k.text(defaults) && s.Text != k.text(none)
		if k.hidden {
			s.Text = ""
		}
		if k.jsonName != "" {
			s.JSONName = k.jsonName
		}
		if k.json != nil {
			s.JSON = k.json(a)
		}
		list[i] = s
	}
	return list
}
