// What Plotly says in Spanish: loaded with the chart bundle, and registered as its own
// locales are.
Plotly.register({
  moduleType: "locale",
  name: "es",
  dictionary: {
    "Autoscale": "Escala automática",
    "Double-click on legend to isolate one trace": "Haga doble clic en la leyenda para aislar una línea",
    "Double-click to zoom back out": "Haga doble clic para alejar de nuevo",
    "Download plot": "Descargar el gráfico",
    "Download plot as a PNG": "Descargar el gráfico como PNG",
    "IE only supports svg.  Changing format to svg.": "El navegador solo admite svg; se cambia el formato a svg.",
    "Pan": "Desplazar",
    "Reset axes": "Restablecer los ejes",
    "Snapshot succeeded": "Imagen guardada",
    "Sorry, there was a problem downloading your snapshot!": "No se ha podido descargar la imagen.",
    "Taking snapshot - this may take a few seconds": "Preparando la imagen; puede tardar unos segundos",
    "Toggle Spike Lines": "Mostrar u ocultar las guías",
    "Zoom": "Ampliar",
    "Zoom in": "Acercar",
    "Zoom out": "Alejar",
    "trace": "línea",
  },
  format: {
    days: ["domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"],
    shortDays: ["dom", "lun", "mar", "mié", "jue", "vie", "sáb"],
    months: [
      "enero", "febrero", "marzo", "abril", "mayo", "junio",
      "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
    ],
    shortMonths: ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"],
    date: "%d/%m/%Y",
    dayMonth: "%e %b",
    dayMonthYear: "%e %b %Y",
    decimal: ",",
    thousands: ".",
  },
});
