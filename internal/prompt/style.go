package prompt

import (
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
)

// formStyles uses the terminal's sixteen colours, so that forms are legible on any background, and
// attributes where there are no colours.
func formStyles() *huh.Styles {
	s := huh.ThemeBase(true)
	plain := lipgloss.NewStyle()
	cyan, red := lipgloss.Color("6"), lipgloss.Color("1")
	f := &s.Focused
	f.Base = plain
	f.Card = plain
	f.Title = plain.Bold(true).Foreground(cyan)
	f.Description = plain.Faint(true)
	f.ErrorIndicator = plain
	f.ErrorMessage = plain.Foreground(red).SetString("✗")
	f.SelectSelector = plain.Foreground(cyan).Bold(true).SetString("❯ ")
	f.Option = plain
	f.SelectedOption = plain.Bold(true)
	f.TextInput.Prompt = plain.Foreground(cyan)
	f.TextInput.Placeholder = plain.Faint(true)
	f.TextInput.Text = plain
	button := plain.Padding(0, 2).MarginRight(1)
	f.FocusedButton = button.Reverse(true).Bold(true)
	f.BlurredButton = button
	s.Blurred = s.Focused
	s.Group.Title = f.Title
	s.Group.Description = f.Description
	return s
}
