//! Drawing on the graphics card: waveforms.
