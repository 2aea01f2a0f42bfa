package delivery

// report tells of messages that could not be handed over.
func (s *shift) report() {}
